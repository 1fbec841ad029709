"""Batches of events in, what the vendor made of each out, several requests at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tracking.conf import conf
from tracking.destinations.base import Destination
from tracking.destinations.http import Client
from tracking.events import Event, Receipt

Batch = Sequence[Event]


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch, and its receipt or the error that it met."""

    batch: Batch
    result: Receipt | Exception


class Sender:
    """Requests to one destination. Its event loop runs only while `next` waits, so that the
    database may be used between."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._tasks: set[asyncio.Task[Sent]] = set()
        self._waiting: deque[Batch] = deque()

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner().__enter__()
        self._client = self._runner.run(Client().__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Requests under way are given up: their deliveries are due again when the lease ends."""
        self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()

    def start(self, batches: Iterable[Batch]) -> None:
        """The batches are on their way, or wait for a place."""
        self._waiting.extend(batches)

    def take_waiting(self) -> list[Batch]:
        """The batches that are not on their way yet; they will not be sent."""
        waiting, self._waiting = [*self._waiting], deque()
        return waiting

    def next(self) -> list[Sent]:
        """The batches that have their answers by now, at least one; none when all are back."""
        while self._waiting and len(self._tasks) < conf.CONCURRENCY:
            batch = self._waiting.popleft()
            self._tasks.add(self._runner.get_loop().create_task(self._send(batch)))
        return self._runner.run(self._gather()) if self._tasks else []

    async def _gather(self) -> list[Sent]:
        done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return [task.result() for task in done]

    async def _send(self, batch: Batch) -> Sent:
        try:
            return Sent(batch, await self._destination.deliver(batch, self._client))
        except Exception as error:
            return Sent(batch, error)
