"""Batches of 500 through Hitstream's own writer, against COPY into the same table."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from uuid_utils.compat import uuid7

from benchmarks.stack import Bench

if TYPE_CHECKING:
    from tracking.ingest.parse.arrival import Arrival

BATCH, BATCHES = 500, 60
#: About what a request takes without the database, in seconds.
PAUSE = 0.0004
HIT = (
    b'{"hitId":"%s","sentAt":"2026-11-23T10:56:10.723Z","event":{"category":"Ecommerce","name":'
    b'"Added Product","label":"some label","product":{"id":"sku-1234","skuCode":"12","name":'
    b'"Boots of a decent size","currency":"USD","unitPrice":99.9,"unitSalePrice":79.9,"category":'
    b'"Home/Footwear/Boots","url":"http://shop.example/boots/1234"},"quantity":1,"user":{'
    b'"anonymousId":"80ddb140-35c6-11e9-bd56-eb1c05e6de18","emailHash":'
    b'"eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d","userId":"u2783187492","firstName":'
    b'"John","lastName":"Doe"},"nonInteraction":false},"context":{"ip":"123.22.334.55",'
    b'"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}}'
)
COPY = """
    COPY hitstream_hit (id, token_id, revision, hit_id, type, name, user_id, anonymous_id,
        email_hash, sent_at, received_at, occurred_at, clock, ip, user_agent, payload) FROM STDIN
"""


class Writer:
    """Hitstream's store on its own connection, for a token with one integration."""

    def __init__(self, bench: Bench) -> None:
        os.environ.update(bench.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
        import django  # noqa: PLC0415

        django.setup()
        from tracking import wakeup  # noqa: PLC0415
        from tracking.ingest.write.connection import connect  # noqa: PLC0415
        from tracking.models import Integration, Token  # noqa: PLC0415

        wakeup.wake_dispatcher = lambda: None
        self.token, created = Token.objects.get_or_create(
            name="copying", defaults={"prefix": "copying", "digest": b"copying"}
        )
        if created:
            Integration.objects.create(token=self.token, name="sink", destination="webhook")
        self.connection = connect()

    def batches(self, *, size: int, count: int) -> list[list[Arrival]]:
        """So many batches of different hits, already parsed."""
        from tracking.ingest.parse.arrival import ClientInfo  # noqa: PLC0415
        from tracking.ingest.parse.track_payload import parse  # noqa: PLC0415

        sender = ClientInfo(token_id=self.token.pk, ip="127.0.0.1", user_agent="benchmark")
        return [
            [parse(HIT % uuid7().hex.encode(), sender) for _ in range(size)] for _ in range(count)
        ]

    def store(self, arrivals: list[Arrival]) -> None:
        from tracking.ingest.write.outcome import Stored  # noqa: PLC0415
        from tracking.ingest.write.store import store  # noqa: PLC0415

        assert store(self.connection, arrivals) == [Stored.NEW] * len(arrivals)

    def copy(self, arrivals: list[Arrival]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for hit in arrivals:
                copy.write_row(
                    (
                        *(hit.id, hit.token_id, 1, hit.hit_id, hit.type, hit.name, hit.user_id),
                        *(hit.anonymous_id, hit.email_hash, hit.sent_at, hit.received_at),
                        *(hit.occurred_at, hit.clock, hit.ip, hit.user_agent),
                        msgspec.json.encode(hit.payload).decode(),
                    )
                )

    def close(self) -> None:
        self.connection.close()


def measure(bench: Bench, rounds: int) -> dict[str, list[float]]:
    """Hits a second in each round, by our writer and by COPY."""
    writer = Writer(bench)
    rates: dict[str, list[float]] = {"ours": [], "copy": []}
    spend(writer.store, writer.batches(size=BATCH, count=5))
    for _ in range(rounds):
        for name, work in (("ours", writer.store), ("copy", writer.copy)):
            batches = writer.batches(size=BATCH, count=BATCHES)
            rates[name].append(spend(work, batches))
            bench.settle()
    writer.close()
    return rates


def spend(work: Callable[[list[Arrival]], None], batches: list[list[Arrival]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        work(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def bare_statement(bench: Bench, *, pause: float = 0.0) -> float:
    """The storing statement with one hit, in milliseconds at the median.

    With a `pause` of some seconds between, as at one connection, Postgres' process goes to sleep
    and takes a third longer than back to back.
    """
    writer = Writer(bench)
    times = []
    for batch in writer.batches(size=1, count=1000):
        started = time.perf_counter()
        writer.store(batch)
        times.append(time.perf_counter() - started)
        if pause:
            time.sleep(pause)
    writer.close()
    return sorted(times)[len(times) // 2] * 1000
