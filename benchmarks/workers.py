"""`python -m benchmarks.workers`: how workers share what is due.

Deliveries/s of one worker and of three, to a local sink that answers after half a second. The cap
on a worker's open requests is the limit; the integrations would allow more than three workers may
have open. With six integrations, then with one. At the end one of three workers is stopped
(SIGSTOP): how long until the others hold its slots, and what is sent twice. Last, six integrations
whose sink answers at once: the cores are the limit, and three workers must not be slower than one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import django
import psutil
import uvloop

from benchmarks.contenders import apart
from benchmarks.sink import OK, sink
from benchmarks.stack import PYTHON, Bench, bench
from project.run import BEAT, WORKER

SINK = 21094
CONCURRENCY, WORKERS = 66, 3
WARM_UP, STARTED_WITHIN, FROZEN = 15.0, 40.0, 12.0
LARGEST_GAP, LONGEST_MOVE = 0.2, 30.0
LEASED = """
    SELECT holder, count(*) FROM hitstream_lease
    WHERE expires_at > statement_timestamp() GROUP BY holder
"""


@dataclass(frozen=True)
class Limit:
    """What limits a worker: its cap on open requests to a sink that answers after some seconds, or
    the cores. `backlog` is what a worker sends in a second at most."""

    name: str
    cap: int
    answer_seconds: float
    backlog: int
    least_ratio: float


OPEN_REQUESTS = Limit("open requests", 20, 0.5, 40, 2.7)
CORES = Limit("cores", 1_000, 0.0, 1_500, 0.95)


@dataclass
class Sink:
    """Answers each request after some seconds. Counts them by delivery, and by the port from which
    they came."""

    answer_seconds: float
    deliveries: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    ports: Counter[int] = field(default_factory=Counter)

    def take(self, request: bytes, transport: asyncio.Transport) -> None:
        at = request.lower().find(b"webhook-id:")
        hit, path = request[at : request.find(b"\r", at)], request[: request.find(b" HTTP")]
        self.deliveries[path, hit] += 1
        self.ports[transport.get_extra_info("peername")[1]] += 1
        if self.answer_seconds:
            asyncio.get_running_loop().call_later(self.answer_seconds, answer, transport)
        else:
            answer(transport)

    @property
    def doubled(self) -> int:
        return self.deliveries.total() - len(self.deliveries)


def answer(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.write(OK)


@dataclass
class Found:
    """Deliveries/s, deliveries of each worker, those sent twice; of a stopped worker, the seconds
    until its slots were the others'."""

    rate: float
    shares: list[int]
    doubled: int
    moved_after: float | None

    @property
    def gap(self) -> float:
        """How far the shares are from each other, as a part of the mean."""
        return (max(self.shares) - min(self.shares)) * len(self.shares) / sum(self.shares)


def add_integrations(servers: Bench, name: str, many: int) -> int:
    """Create a token with so many webhooks. Returns the token's id."""
    servers.issue(name)
    for number in range(many):
        url = f"http://127.0.0.1:{SINK}/{name}/{number}"
        config = json.dumps({"url": url})
        servers.manage(
            "add_integration", name, "webhook", "--name", f"Webhook {number}", "--config", config
        )
    with servers.connect() as connection:
        connection.execute("UPDATE hitstream_integration SET concurrency = %s", [CONCURRENCY])
        row = connection.execute("SELECT id FROM hitstream_token WHERE name = %s", [name])
        return int(row.fetchone()[0])  # type: ignore[index]


def store(token: int, many: int) -> None:
    """Store so many hits by the statement that stores them all."""
    from tracking.ingest.parse.arrival import ClientInfo  # noqa: PLC0415 (only once the apps are loaded)
    from tracking.ingest.parse.track_payload import parse  # noqa: PLC0415
    from tracking.ingest.write.connection import connect  # noqa: PLC0415
    from tracking.ingest.write.store import store  # noqa: PLC0415

    sender = ClientInfo(token_id=token, ip=None, user_agent="")
    with connect() as connection:
        for start in range(0, many, 500):
            bodies = [
                json.dumps({"userId": f"u{number}", "event": {"name": "Clicked"}}).encode()
                for number in range(start, min(start + 500, many))
            ]
            store(connection, [parse(body, sender) for body in bodies])


def clients(process: subprocess.Popen[bytes]) -> set[int]:
    """Return the ports from which the worker sends."""
    connections = psutil.Process(process.pid).net_connections("tcp4")
    return {each.laddr.port for each in connections if each.raddr and each.raddr.port == SINK}


async def freeze(servers: Bench, worker: subprocess.Popen[bytes]) -> float:
    """Stop the worker for a while. Returns the seconds until its slots were the others'."""
    with servers.connect() as connection:
        before = dict(connection.execute(LEASED).fetchall())
        began, moved_after = time.monotonic(), float("inf")
        worker.send_signal(signal.SIGSTOP)
        while time.monotonic() - began < FROZEN:
            await asyncio.sleep(0.1)
            now = dict(connection.execute(LEASED).fetchall())
            if sum(now.values()) == sum(before.values()) and len(now) == len(before) - 1:
                moved_after = min(moved_after, time.monotonic() - began)
        worker.send_signal(signal.SIGCONT)
    await asyncio.sleep(5.0)
    return moved_after


async def run(
    servers: Bench, limit: Limit, workers: int, seconds: float, *, frozen: bool = False
) -> Found:
    """Let so many workers deliver what is stored."""
    received, owner = Sink(limit.answer_seconds), dict[int, int]()
    async with sink(SINK, received.take):
        schedule = f"{servers.environment['HITSTREAM_VAR']}/schedule"
        servers.start(None, *PYTHON, *BEAT.split(), schedule)
        started = [
            servers.start(
                None,
                *PYTHON,
                *WORKER.split(),
                *("-n", f"{number}@bench"),
                HITSTREAM_MAX_OPEN_REQUESTS=str(limit.cap),
            )
            for number in range(workers)
        ]

        def look() -> int:
            owner.update((port, worker.pid) for worker in started for port in clients(worker))
            return sum(bool(clients(worker)) for worker in started)

        ends = time.monotonic() + STARTED_WITHIN
        while look() < workers:
            assert time.monotonic() < ends, f"not all of {workers} workers send"
            await asyncio.sleep(0.1)
        await asyncio.sleep(WARM_UP)
        before, began = received.ports.copy(), time.monotonic()
        while time.monotonic() - began < seconds:
            look()
            await asyncio.sleep(0.25)
        many, took = received.ports - before, time.monotonic() - began
        shares = Counter[int]({worker.pid: 0 for worker in started})
        for port, count in many.items():
            if port in owner:  # A connection between two looks has no known owner.
                shares[owner[port]] += count
        moved_after = await freeze(servers, started[0]) if frozen else None
    return Found(many.total() / took, [*shares.values()], received.doubled, moved_after)


def measure(
    servers: Bench,
    token: int,
    integrations: int,
    limit: Limit,
    workers: int,
    seconds: float,
    *,
    frozen: bool,
) -> Found:
    """One run, as printed, with a backlog that outlasts it."""
    lasts = STARTED_WITHIN + WARM_UP + seconds + (2 * FROZEN if frozen else 0.0)
    # More workers than cores send little more than as many as cores.
    many = workers if limit is OPEN_REQUESTS else 2
    store(token, int(many * limit.backlog * lasts / integrations))
    with apart(servers) as mine:
        found = uvloop.run(run(mine, limit, workers, seconds, frozen=frozen))
    with servers.connect() as connection:
        connection.execute("DELETE FROM hitstream_queue")
        connection.execute("VACUUM ANALYZE hitstream_queue")
    print(
        f"Limited by {limit.name}, {integrations} integration(s), {workers} worker(s): "
        f"{found.rate:,.1f} deliveries/s, shares {found.shares}, {found.doubled} sent twice",
        flush=True,
    )
    return found


def compare(
    servers: Bench, token: int, integrations: int, limit: Limit, seconds: float, *, frozen: bool
) -> bool:
    """One worker and three, as printed; whether they share as they should."""
    one = measure(servers, token, integrations, limit, 1, seconds, frozen=False)
    three = measure(servers, token, integrations, limit, WORKERS, seconds, frozen=frozen)
    ratio = three.rate / one.rate
    good = ratio >= limit.least_ratio and not one.doubled + three.doubled
    print(f"{WORKERS} workers ÷ 1 = {ratio:.2f} (at least {limit.least_ratio})", flush=True)
    if frozen:
        moved_after = three.moved_after or 0.0
        good &= three.gap <= LARGEST_GAP and moved_after <= LONGEST_MOVE
        print(
            f"The shares are within {three.gap:.0%} ({LARGEST_GAP:.0%}); the slots of a stopped "
            f"worker move after {moved_after:.1f} s (at most {LONGEST_MOVE:g})",
            flush=True,
        )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--only", choices=(OPEN_REQUESTS.name, CORES.name))
    options = parser.parse_args()
    with bench() as servers:
        os.environ.update(servers.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
        django.setup()
        good = True
        for limit, many in ((OPEN_REQUESTS, 6), (OPEN_REQUESTS, 1), (CORES, 6)):
            if options.only not in {None, limit.name}:
                continue
            name = f"{many} by {limit.name}".replace(" ", "-")
            token = add_integrations(servers, name, many)
            frozen = limit is OPEN_REQUESTS
            good &= compare(servers, token, many, limit, options.seconds, frozen=frozen)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
