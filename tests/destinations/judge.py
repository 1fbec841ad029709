"""A vendor that reads what it is sent: a Double in, a server on 127.0.0.1 out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.support.vendor import Received, Vendor, open_vendor, reply
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.events import Event, Receipt


@dataclass(frozen=True)
class Ask:
    """A request as a vendor sees it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """None for what is no JSON."""
        with contextlib.suppress(ValueError):
            return json.loads(self.body)
        return None


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Double(Protocol):
    def answer(self, ask: Ask) -> tuple[int, Any]: ...


def read(received: Received) -> Ask:
    method, target, _ = received.line.split(" ")
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Ask(method, parts.path.removeprefix("/hook"), query, received.headers, received.body)


@contextlib.contextmanager
def serve(double: Double) -> Iterator[Vendor]:
    with open_vendor(reply()) as vendor:

        def judge(received: Received, connection: Any) -> None:
            status, said = double.answer(read(received))
            reply(status, b"" if said is None else json.dumps(said).encode())(connection)

        vendor.judge = judge
        yield vendor


def send(destination: Destination, events: Sequence[Event]) -> list[Receipt]:
    """As the outbox does it: what is skipped is left out, the rest goes in the own batches."""
    taken = [event for event in events if not destination.skip(event)]
    return post(destination, list(destination.batches(taken)))


def post(destination: Destination, batches: Sequence[Sequence[Event]]) -> list[Receipt]:
    async def run() -> list[Receipt]:
        async with Client() as client:
            return [await destination.deliver(batch, client) for batch in batches]

    return asyncio.run(run())
