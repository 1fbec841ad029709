"""Concurrent requests to one destination: batches of events in, the vendor's results out.

It lives on the engine's event loop, which runs only while the engine waits: nothing here needs a
lock or touches the database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracking import observer
from tracking.delivery.open_requests import OpenRequests
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError, RetryableError, SetupError

#: Seconds that a destination may take beyond its own timeout; less than a lease's slack.
MARGIN = 5.0


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one request. `until` is the loop's time at which their lease ends."""

    events: Sequence[Event]
    until: float

    def halves(self) -> list[Batch]:
        middle = len(self.events) // 2
        return [Batch(self.events[:middle], self.until), Batch(self.events[middle:], self.until)]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A batch with its receipt, or with the error that it caused."""

    batch: Batch
    result: Receipt | Exception
    #: What the observer knows the request by; None if nobody watches it.
    begun: object | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the destination did not work. A refusal of hits is an answer."""
        return isinstance(self.result, Exception) and not isinstance(self.result, PermanentError)

    @property
    def is_halved(self) -> bool:
        """Whether the batch is sent again in halves: refused by the vendor or by our own code, for
        what may be the fault of one event."""
        is_told = isinstance(self.result, (Receipt, RetryableError, SetupError))
        return len(self.batch.events) > 1 and not is_told

    @property
    def failed_hits(self) -> int:
        """How many of the batch's hits this request did not deliver; 0 if it is halved."""
        if isinstance(self.result, Receipt):
            return len(self.result.refused)
        return 0 if self.is_halved else len(self.batch.events)


class RequestPool:
    """Requests to one destination: as many at once, and a second, as `limit` allows.

    Slow start: one request at first, one more for each response, half as many after each failure,
    so a broken destination never gets a burst.
    """

    def __init__(
        self,
        destination: Destination,
        client: Client,
        loop: asyncio.AbstractEventLoop,
        *,
        open_requests: OpenRequests,
        answered: Callable[[BatchResult], None],
        given_back: Callable[[Batch], None],
    ) -> None:
        """`answered` gets each result, `given_back` each batch whose lease has become too short for
        its request. Nothing is sent before `limit` is set."""
        self._destination, self._client, self._loop = destination, client, loop
        self._open_requests = open_requests
        self._concurrency, self._limit, self._gap = 0, 0, 0.0
        self._allowed = 1
        self._answered, self._given_back = answered, given_back
        self._waiting: deque[Batch] = deque()
        #: Events that are not in flight yet.
        self.waiting = 0
        self._flying: set[asyncio.Task[None]] = set()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.stopped = False

    @property
    def allowed(self) -> int:
        """Concurrent requests, for now."""
        return min(self._allowed, self._limit)

    @property
    def in_flight(self) -> int:
        """Requests in flight."""
        return len(self._flying)

    @property
    def has_in_flight(self) -> bool:
        return bool(self._flying)

    @property
    def wanted(self) -> int:
        """Requests that could be open now."""
        return len(self._flying) + len(self._waiting)

    @property
    def is_idle(self) -> bool:
        return not self._flying and not self._waiting

    def limit(self, concurrency: int, rate: float | None, *, cap: int) -> None:
        """Send at most so many requests at once, and requests/s, from now on; for the moment no
        more than the cap."""
        self._concurrency, self._limit = concurrency, min(concurrency, cap)
        self._gap = 1 / rate if rate else 0.0
        self.pump()

    def add(self, batches: Iterable[Batch]) -> None:
        """Send the batches, behind those that wait."""
        for batch in batches:
            self._waiting.append(batch)
            self.waiting += len(batch.events)
        self.pump()

    def add_first(self, batches: Sequence[Batch]) -> None:
        """Put the batches before all that wait. None starts before the next `pump`."""
        for batch in reversed(batches):
            self._waiting.appendleft(batch)
            self.waiting += len(batch.events)

    def stop(self) -> None:
        """Start no further request; those in flight go on."""
        self.stopped = True

    def take_waiting(self) -> list[Batch]:
        """Remove and return the batches that are not in flight."""
        waiting, self._waiting, self.waiting = [*self._waiting], deque(), 0
        return waiting

    def give_up(self) -> None:
        """Cut off the requests in flight: their deliveries are due again when the lease ends."""
        self.stop()
        for task in self._flying:
            task.cancel()

    def pump(self) -> None:
        """Start every request that may start."""
        while self._waiting and not self.stopped and len(self._flying) < self.allowed:
            now = self._loop.time()
            if now < self._next_at:
                self._pump_later()
                return
            if not self._open_requests.open():
                return
            batch = self._waiting.popleft()
            self.waiting -= len(batch.events)
            if now + self._destination.timeout > batch.until:
                self._open_requests.close()
                self._given_back(batch)
                continue
            self._next_at = max(self._next_at, now - self._gap) + self._gap
            task = self._loop.create_task(self._send(batch))
            self._flying.add(task)
            task.add_done_callback(self._land)

    def _pump_later(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_at(self._next_at, self._pump_now)

    def _pump_now(self) -> None:
        self._timer = None
        self.pump()

    def _land(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._open_requests.close()
        self.pump()

    async def _send(self, batch: Batch) -> None:
        seconds = self._destination.timeout + MARGIN
        begun = None
        if observer.is_watching():
            begun = observer.begin([event.id for event in batch.events])
        result: Receipt | Exception
        try:
            async with asyncio.timeout(seconds):
                result = await self._destination.deliver(batch.events, self._client)
        except TimeoutError:
            result = RetryableError(f"It was not over within {seconds:g} seconds.")
        except Exception as error:
            result = error
        sent = BatchResult(batch, result, begun)
        if sent.is_failure:
            self._allowed = max(1, self.allowed // 2)
        else:
            self._allowed = max(1, min(self._allowed + 1, self._concurrency))
        self._answered(sent)
