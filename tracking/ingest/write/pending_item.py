"""An item on its way to Postgres: the caller holds it until the outcome is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast

from tracking.conf import conf
from tracking.current_request import Environ, environ_of_request, id_of
from tracking.ingest.errors import Unavailable
from tracking.log_fields import MOST, log_fields

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class PendingItem(Generic[Item, Outcome]):
    """Its caller waits until the item is settled, or gets a call at that moment. `request` is the
    environ of the request that brought it, None where it came otherwise."""

    __slots__ = ("_settled", "_then", "abandoned", "is_settled", "item", "outcome", "request")

    def __init__(self, item: Item, then: Callable[[], None] | None = None) -> None:
        self.item = item
        self.request: Environ | None = environ_of_request.get()
        self.outcome: Outcome | Exception | None = None
        self.is_settled = False
        self.abandoned = False
        self._then = then
        self._settled: threading.Lock | None = None
        if then is None:
            self._settled = threading.Lock()
            self._settled.acquire()

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is to be done for the item here."""
        return self.is_settled

    def settle(self, outcome: Outcome | Exception) -> None:
        self.outcome, self.is_settled = outcome, True
        if self._settled is not None:
            self._settled.release()
        elif self._then is not None:
            self._then()

    def wait(self, seconds: float) -> Outcome:
        if self._settled is not None:
            self._settled.acquire(timeout=seconds)
        return self.open()

    def open(self) -> Outcome:
        """Return the outcome, or raise it if it is an exception. Raises Unavailable if the item is
        not settled; it is then abandoned."""
        if not self.is_settled:
            self.abandoned = True
            raise Unavailable
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return cast(Outcome, self.outcome)


def request_fields(items: Sequence[PendingItem[Any, Any]]) -> dict[str, Any]:
    """Return the field of a log record with the ids of the requests that brought these items."""
    return log_fields(requests=request_ids(items))


def request_ids(items: Sequence[PendingItem[Any, Any]]) -> Iterator[str]:
    """Yield the ids of the requests of the first items."""
    return (id_of(item.request) for item in items[:MOST] if item.request is not None)


class Countdown:
    """Opens after `count` passes, all on one thread."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._open = threading.Event()
        if not count:
            self._open.set()

    def pass_one(self) -> None:
        self._left -= 1
        if not self._left:
            self._open.set()

    def wait(self, seconds: float) -> bool:
        """Return whether it opened in time."""
        return self._open.wait(seconds)


def check_capacity(*, waiting: int, busy_since: float | None) -> None:
    """Raise Unavailable if one more item could not be handled in time: behind a statement that
    began at `busy_since`, by the monotonic clock, and behind `waiting` items."""
    if busy_since is not None and time.monotonic() - busy_since > conf.REQUEST_DEADLINE:
        raise Unavailable("The database does not answer; send the hit again later.")
    if waiting >= conf.QUEUE_SIZE:
        raise Unavailable("Too many hits are waiting to be stored; send it again later.")
