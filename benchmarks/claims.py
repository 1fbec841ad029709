"""`python -m benchmarks.claims`: does a claim cost more the more was delivered before?

Claims a second through the worker's own code, where deliveries come in at a steady pace and are
finished at once as the worker finishes them: on an empty queue; after five million deliveries that
came and went, vacuumed on the way as autovacuum would; and beside a transaction whose snapshot
stays open while half a million are claimed and finished, so that nothing of them can be cleaned up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import django

from benchmarks.stack import Bench, bench

if TYPE_CHECKING:
    from tracking.models.deliveries.claim import Claim

INTEGRATION, BATCH, FEED = 1, 100, 1000
BASE, FINISHED, BESIDE, CHUNK = 100_000, 5_000_000, 500_000, 500_000
OPEN_SECONDS, LEASE = 60.0, 60.0
WARM_UP, BASE_SECONDS = 30_000, OPEN_SECONDS * BASE / BESIDE
LEAST_RATIO = 0.8
COME = """
    INSERT INTO hitstream_queue (token_id, hit_id, integration_id, due_at, claims, attempts)
    SELECT 1, uuidv7(), %s, clock_timestamp(), 0, 0 FROM generate_series(1, %s)
"""


def worker() -> tuple[Callable[[], Sequence[Claim]], Callable[[Sequence[Claim]], object]]:
    """How the worker claims a batch and how it finishes one: the only lines here that know."""
    from tracking.delivery.scan_bounds import scan_bounds  # noqa: PLC0415
    from tracking.models import Integration, QueuedDelivery  # noqa: PLC0415 (only once the apps are loaded)
    from tracking.models.deliveries.settle import Settlement, settle  # noqa: PLC0415

    integration = Integration(pk=INTEGRATION, token_id=1)

    def claim() -> Sequence[Claim]:
        floor = scan_bounds.get("claim", INTEGRATION)
        claims = QueuedDelivery.objects.claim(integration, limit=BATCH, lease=LEASE, bound=floor)
        if claims:
            scan_bounds.raise_to(INTEGRATION, claims[0].reached)
        return claims

    def finish(claims: Sequence[Claim]) -> None:
        entries = [
            Settlement(
                hit_id=claim.hit_id,
                leased_until=claim.leased_until,
                result="delivered",
                attempts=1,
                attempt_id=claim.hit_id,
            )
            for claim in claims
        ]
        settle(integration, entries, [])

    return claim, finish


@dataclass(frozen=True)
class Pace:
    """Seconds spent in each claim and in finishing it, in order."""

    claiming: list[float]
    finishing: list[float]

    def last(self, claims: int) -> Pace:
        batches = -(-claims // BATCH)
        return Pace(self.claiming[-batches:], self.finishing[-batches:])

    @property
    def claims(self) -> float:
        """Claimed deliveries a second, counting only the time of the claims."""
        return BATCH * len(self.claiming) / sum(self.claiming)

    @property
    def finished(self) -> float:
        """The same, counting that of finishing, too."""
        return BATCH * len(self.claiming) / (sum(self.claiming) + sum(self.finishing))

    def __str__(self) -> str:
        return (
            f"{self.claims:,.0f} claims/s, {self.finished:,.0f} claimed and finished/s; "
            f"a claim of {BATCH} takes {statistics.median(self.claiming) * 1e3:.2f} ms at the "
            f"median, {max(self.claiming) * 1e3:.0f} ms at the longest"
        )


def work(servers: Bench, deliveries: int, *, seconds: float) -> Pace:
    """So many deliveries come evenly over the seconds, or as fast as they are finished if that
    takes longer, and none is left."""
    claim, finish = worker()
    pace = Pace([], [])
    began = time.perf_counter()
    with servers.connect() as connection:
        for come in range(0, deliveries, FEED):
            time.sleep(max(0.0, began + seconds * come / deliveries - time.perf_counter()))
            connection.execute(COME, (INTEGRATION, FEED))
            for _ in range(FEED // BATCH):
                started = time.perf_counter()
                claims = claim()
                claimed = time.perf_counter()
                finish(claims)
                pace.claiming.append(claimed - started)
                pace.finishing.append(time.perf_counter() - claimed)
                assert len(claims) == BATCH, len(claims)
    assert servers.count("hitstream_queue") == 0
    return pace


def come_and_go(servers: Bench, deliveries: int) -> None:
    with servers.connect() as connection:
        for _ in range(0, deliveries, CHUNK):
            connection.execute(COME, (INTEGRATION, CHUNK))
            connection.execute("DELETE FROM hitstream_queue")
            connection.execute("VACUUM ANALYZE hitstream_queue")
    servers.settle()


def beside_a_snapshot(servers: Bench) -> Pace:
    first, rest = BESIDE // 5, BESIDE - BESIDE // 5
    with servers.connect() as reader, servers.connect() as autovacuum:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM hitstream_queue")
        began = time.perf_counter()
        before = work(servers, first, seconds=OPEN_SECONDS / 5)
        # Autovacuum may come at any moment, and find an empty queue full of dead rows: statistics
        # that say so have led the planner to walk through all of them.
        autovacuum.execute("VACUUM ANALYZE hitstream_queue")
        after = work(servers, rest, seconds=began + OPEN_SECONDS - time.perf_counter())
        print(f"the snapshot was open for {time.perf_counter() - began:.0f} s")
        reader.execute("COMMIT")
    return Pace(before.claiming + after.claiming, before.finishing + after.finishing)


def on_an_empty_queue(servers: Bench) -> Pace:
    with servers.connect() as connection:
        connection.execute("VACUUM ANALYZE hitstream_queue")
    servers.settle()
    pace = work(servers, BASE, seconds=BASE_SECONDS)
    print(f"on an empty queue: {pace}", flush=True)
    return pace


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims")
    parser.add_argument("--finished", type=int, default=FINISHED, help="deliveries before")
    finished = parser.parse_args().finished
    with bench() as servers:
        os.environ.update(servers.environment, DJANGO_SETTINGS_MODULE="project.settings")
        django.setup()
        work(servers, WARM_UP, seconds=1)
        first = on_an_empty_queue(servers)
        come_and_go(servers, finished)
        after = work(servers, BASE, seconds=BASE_SECONDS)
        print(f"after {finished:,} deliveries: {after}", flush=True)
        # The better of two before and between, so that a slow start flatters nobody.
        empty = max(first.claims, on_an_empty_queue(servers).claims)
        beside = beside_a_snapshot(servers)
        last = beside.last(BASE)
        print(f"beside the snapshot: {beside}\n  the last {BASE:,} of {BESIDE:,}: {last}")
    ratios = [pace.claims / empty for pace in (after, beside, last)]
    print(
        "claims/s against the empty queue: after {:.2f}, beside {:.2f}, beside at the end {:.2f} "
        "(at least {:g})".format(*ratios, LEAST_RATIO)
    )
    return 0 if min(ratios) >= LEAST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
