"""Concurrent callers share one round trip to Postgres.

Each hands over an item and waits for its own outcome. One thread with one connection handles
everything that arrived during the last round trip as one batch: no timer, so a lone item waits for
nothing. Callers never wait past their deadline, whatever Postgres does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, cast

import psycopg

from tracking import process
from tracking.conf import conf
from tracking.connection import OwnConnection, cut
from tracking.ingest.errors import Unavailable
from tracking.ingest.write.connection import connect, has_news, is_silent
from tracking.ingest.write.pending_item import (
    Countdown,
    Item,
    Outcome,
    PendingItem,
    check_capacity,
    request_fields,
)

logger = logging.getLogger(__name__)

Handle = Callable[[OwnConnection, Sequence[Item]], Sequence["Outcome | Exception"]]
Afterwards = Callable[[OwnConnection, Sequence["Outcome | Exception"]], None]
Report = Callable[[Sequence[PendingItem[Item, Outcome]]], None]
FieldsOf = Callable[[Sequence[PendingItem[Item, Outcome]]], dict[str, Any]]


class BatchThread(Generic[Item, Outcome]):
    """One thread per process; the first caller starts it, also after a fork or its death."""

    def __init__(
        self,
        name: str,
        handle: Handle[Item, Outcome],
        afterwards: Afterwards[Outcome] = lambda connection, outcomes: None,
        weigh: Callable[[Item], int] = lambda item: 0,
        observe: Report[Item, Outcome] = lambda items: None,
        fields_of: FieldsOf[Item, Outcome] = request_fields,
    ) -> None:
        """`afterwards` and `observe` are called with each batch once the callers have their
        outcomes; `fields_of` returns the fields of a log record about a batch. A batch weighs as
        many deliveries as a statement may queue, and one item more at most."""
        self.name = name
        self._handle = handle
        self._afterwards = afterwards
        self._weigh = weigh
        self._observe, self._fields_of = observe, fields_of
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._queue: SimpleQueue[PendingItem[Item, Outcome] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: OwnConnection | None = None
        self._busy_since: float | None = None
        #: What the present statement handles. Any thread may read it.
        self.in_flight: Sequence[PendingItem[Item, Outcome]] = ()

    @property
    def busy_since(self) -> float | None:
        """When the present statement began, by the monotonic clock; None without one. Any thread
        may read it."""
        return self._busy_since

    def take_back(self) -> list[PendingItem[Item, Outcome]]:
        """Return what is queued and not in flight; the thread will not handle it."""
        found: list[PendingItem[Item, Outcome]] = []
        with suppress(Empty):
            while (each := self._queue.get_nowait()) is not None:
                found.append(each)
            self._queue.put(None)
        return found

    def submit(self, item: Item, *, within: float) -> Outcome:
        """Return the item's outcome, or raise it if it is an exception. Raises Unavailable after
        `within` seconds."""
        return self.hand(item).wait(within)

    def submit_all(self, items: Sequence[Item], *, within: float) -> list[Outcome | Exception]:
        """Return the outcome of each item. Raises Unavailable if one is missing after `within`
        seconds; what is handled by then stays so."""
        self.admit()
        gate = Countdown(len(items))
        pending: list[PendingItem[Item, Outcome]] = [
            PendingItem(item, gate.pass_one) for item in items
        ]
        for each in pending:
            self._queue.put(each)
        if not gate.wait(within):
            for each in pending:
                each.abandoned = True
            raise Unavailable
        return [cast("Outcome | Exception", each.outcome) for each in pending]

    def hand(
        self, item: Item, then: Callable[[], None] | None = None
    ) -> PendingItem[Item, Outcome]:
        """Hand the item over; the caller waits, or `then` is called. Raises Unavailable if the item
        could not be handled in time."""
        each: PendingItem[Item, Outcome] = PendingItem(item, then)
        self.take(each)
        return each

    def take(self, each: PendingItem[Item, Outcome]) -> None:
        """Hand over an item that began elsewhere."""
        self.admit()
        self._queue.put(each)

    def admit(self) -> None:
        """Start the thread if needed. Raises Unavailable if one more item could not be handled in
        time."""
        self._cut_silent()
        check_capacity(waiting=self._queue.qsize(), busy_since=self._busy_since)
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _cut_silent(self) -> None:
        connection = self._connection
        if connection is not None and is_silent(self._busy_since):
            self._busy_since = time.monotonic()
            with suppress(OSError, psycopg.Error):
                cut(connection)

    def handle(self, connection: OwnConnection, item: Item) -> Outcome:
        """Do what `submit` does, in the caller's thread and on the caller's connection."""
        (outcome,) = self.handle_all(connection, [item])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def handle_all(
        self, connection: OwnConnection, items: Sequence[Item]
    ) -> Sequence[Outcome | Exception]:
        """Do what `submit_all` does, in the caller's thread and on the caller's connection."""
        outcomes = self._handle(connection, items)
        self._afterwards(connection, outcomes)
        return outcomes

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._busy_since = None
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def drain(self) -> None:
        """Handle everything that was handed over, and end the thread."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._queue.put(None)
            thread.join(conf.STATEMENT_TIMEOUT)

    def _run(self) -> None:
        try:
            while (pending := self._take()) is not None:
                self._busy_since = time.monotonic()
                if pending:
                    self.in_flight = pending
                    self._settle(pending)
                    self.in_flight = ()
                self._busy_since = None
        finally:
            self._disconnect()

    def _take(self) -> list[PendingItem[Item, Outcome]] | None:
        """Return everything that has arrived, at least one item; None to stop."""
        first = self._queue.get()
        if first is None:
            return None
        pending = [first]
        room = conf.MAX_STATEMENT_DELIVERIES - self._weigh(first.item)
        try:
            while len(pending) < conf.MAX_STATEMENT_ROWS and room > 0:
                each = self._queue.get_nowait()
                if each is None:
                    self._queue.put(None)
                    break
                pending.append(each)
                room -= self._weigh(each.item)
        except Empty:
            pass
        return [each for each in pending if not each.abandoned]

    def _settle(self, pending: list[PendingItem[Item, Outcome]]) -> None:
        """Settle every item, as Unavailable if Postgres failed."""
        failed = Unavailable()
        outcomes: Sequence[Outcome | Exception] = [failed] * len(pending)
        try:
            connection = self._connected()
            outcomes = self._handle(connection, [each.item for each in pending])
        except (psycopg.OperationalError, psycopg.InternalError) as error:
            # Postgres is gone, slow, full or read-only: the database's trouble, not a bug.
            self._log(logging.WARNING, pending, error)
            failed.__cause__ = error
            self._disconnect()
        except Exception as error:
            self._log(logging.ERROR, pending, error)
            failed.__cause__ = error
            self._disconnect()
        for each, outcome in zip(pending, outcomes, strict=True):
            each.settle(outcome)
        self._observe(pending)
        if self._connection is not None:
            self._finish(self._connection, outcomes)

    def _log(
        self, level: int, pending: Sequence[PendingItem[Item, Outcome]], error: Exception
    ) -> None:
        logger.log(
            level,
            "%s: could not handle %s items: %s",
            self.name,
            len(pending),
            error,
            exc_info=error if level == logging.ERROR else None,
            extra=self._fields_of(pending),
        )

    def _finish(self, connection: OwnConnection, outcomes: Sequence[Outcome | Exception]) -> None:
        try:
            self._afterwards(connection, outcomes)
        except Exception as error:
            logger.warning("%s: %s", self.name, error)
            self._disconnect()

    def _connected(self) -> OwnConnection:
        known = self._connection
        if known is not None and (known.closed or has_news(known)):
            self._disconnect()
        if self._connection is None:
            self._connection = connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
