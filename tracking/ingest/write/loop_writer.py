"""Arrivals that the event loop itself stores: no thread wakes to send them or to report them.

In: arrivals from a server that runs the view on its event loop. Out: settled PendingItems, after
the commit. What arrives during a statement is the next batch, as with a BatchThread. Whatever this
writer cannot do goes to the thread: connecting takes time, and a batch may fail for one of its
rows.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import psycopg

from tracking import db, process
from tracking.conf import conf
from tracking.current_request import NO_REQUEST
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import batch_report, fanout, store
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.connection import is_silent
from tracking.ingest.write.loop_connection import LoopConnection
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.pending_item import PendingItem, check_capacity
from tracking.ingest.write.prepared_statement import Row
from tracking.models.analytics import late_arrivals
from tracking.models.hits import partitions

logger = logging.getLogger(__name__)

#: Seconds between two attempts to connect, at least.
CONNECT_INTERVAL = 1.0

PendingArrival = PendingItem[Arrival, Stored]


class LoopWriter:
    """One connection for the event loop of the process; the first arrival without one makes it."""

    def __init__(self, writer: BatchThread[Arrival, Stored]) -> None:
        self._writer = writer
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._connection: LoopConnection | None = None
        self._connect_after = 0.0
        self._waiting: deque[PendingArrival] = deque()
        self._clear()

    def _clear(self) -> None:
        """Forget the batch in flight."""
        self._sent: list[PendingArrival] = []
        self._batch: list[Arrival] = []
        self._busy_since: float | None = None

    def hand(self, arrival: Arrival, then: Callable[[], None]) -> PendingArrival:
        """Store the arrival soon, and call `then`. Call it on the loop. Raises Unavailable if the
        arrival could not be stored in time."""
        item = PendingArrival(arrival, then)
        self.take(item)
        return item

    def take(self, item: PendingArrival) -> None:
        """Do what `hand` does, for an item that began elsewhere."""
        if is_silent(self._busy_since):
            self._fail(psycopg.OperationalError("Postgres does not answer any more"))
        if self._connection is None:
            self._connect()
            self._writer.take(item)
            return
        check_capacity(waiting=len(self._waiting), busy_since=self._busy_since)
        self._waiting.append(item)
        if not self._sent and len(self._waiting) == 1:
            # At the end of this turn of the loop: everything that arrives in the same turn is one
            # batch.
            self._loop.call_soon(self._send, context=NO_REQUEST)

    def oldest(self) -> PendingArrival | None:
        """Return what has waited longest of what has not ended, in flight or behind it. Any thread
        may call this."""
        for item in self._sent:
            if not item.is_ended:
                return item
        with suppress(IndexError):  # It is sent at this moment.
            return self._waiting[0]
        return None

    def give_up(self) -> None:
        """Settle everything that is pending as Unavailable, soon. What is in flight may be stored
        all the same. Any thread may call this."""
        with suppress(RuntimeError):  # The loop is closed.
            self._loop.call_soon_threadsafe(self._give_up)

    def _give_up(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for item in (*self._sent, *waiting):
            item.settle(Unavailable())

    def drain(self) -> None:
        """Settle every pending item or pass it to the thread, and close the connection. Call it
        once the loop has stopped."""
        ends = time.monotonic() + conf.STATEMENT_TIMEOUT
        self._send()
        while self._connection is not None and self._sent:
            if not self._connection.has_news(within=max(0.0, ends - time.monotonic())):
                break
            self._connection.receive()
        self._close()

    def _connect(self) -> None:
        if time.monotonic() >= self._connect_after:
            self._connect_after = math.inf
            self._loop = asyncio.get_running_loop()
            made = self._loop.run_in_executor(None, LoopConnection, store.SQL["store"])
            made.add_done_callback(self._connected, context=NO_REQUEST)

    def _connected(self, made: asyncio.Future[LoopConnection]) -> None:
        self._connect_after = time.monotonic() + CONNECT_INTERVAL
        try:
            self._connection = made.result()
        except psycopg.Error as error:
            logger.warning("Hits are stored by the thread for now: %s", error)
        else:
            self._connection.attach(self._loop, self._receive)

    def _send(self) -> None:
        """Send the next batch, without items whose callers have given up."""
        connection = self._connection
        if connection is None or self._sent:
            return
        try:
            if connection.has_news():
                self._close()
            while self._waiting and not self._sent:
                fitting = fanout.fitting(item.item for item in self._waiting)
                count = min(len(self._waiting), fitting)
                items = self._take(count)
                self._sent = [item for item in items if not item.abandoned]
            if self._sent:
                self._busy_since = time.monotonic()
                self._batch = store.without_duplicates([item.item for item in self._sent])
                connection.send(store.parameters(self._batch, late_arrivals.after()))
        except Exception as error:
            self._fail(error)

    def _take(self, count: int) -> list[PendingArrival]:
        """Take so many items; where the tables are distributed, only those of the first item's
        token: one server stores them."""
        first = [self._waiting.popleft() for _ in range(count)]
        if not db.is_distributed():
            return first
        token = first[0].item.token_id
        self._waiting.extendleft(item for item in reversed(first) if item.item.token_id != token)
        return [item for item in first if item.item.token_id == token]

    def _receive(self, answer: Row | Exception) -> None:
        """Settle the batch that was sent, or pass it to the thread; then send the next."""
        try:
            if isinstance(answer, store.RECOVERABLE) or (
                isinstance(answer, Exception) and partitions.is_missing(answer)
            ):
                self._pass_on(self._sent)
            elif isinstance(answer, Exception):
                raise answer
            else:
                self._settle(answer)
        except Exception as error:
            self._fail(error)
            return
        self._clear()
        if self._waiting:
            self._send()

    def _settle(self, row: Row) -> None:
        arrivals = [item.item for item in self._sent]
        outcomes = store.outcome_of_each(arrivals, store.outcomes_of(self._batch, *row))
        for item, outcome in zip(self._sent, outcomes, strict=True):
            item.settle(outcome)
        batch_report.observe(self._sent)

    def _pass_on(self, items: Iterable[PendingArrival]) -> None:
        for item in items:
            try:
                self._writer.take(item)
            except Unavailable as error:
                item.settle(error)

    def _fail(self, error: Exception) -> None:
        """Log the failure and close. Gone, slow, full or read-only is the database's trouble, not a
        bug."""
        expected = isinstance(error, psycopg.OperationalError | psycopg.InternalError)
        level = logging.WARNING if expected else logging.ERROR
        logger.log(
            level,
            "The event loop could not store %s hits: %s",
            len(self._sent),
            error,
            exc_info=None if expected else error,
            extra=batch_report.fields_of(self._sent),
        )
        self._close()

    def _close(self) -> None:
        """Close the connection. The outcome of batches in flight is unknown: they fail with 503.
        Items that were not yet sent go to the writer thread."""
        connection, self._connection = self._connection, None
        sent, waiting = self._sent, self._waiting
        self._clear()
        self._waiting = deque()
        if connection is not None:
            connection.close()
        for item in sent:
            item.settle(Unavailable())
        self._pass_on(waiting)


loop_writer = LoopWriter(store.writer)
process.at_shutdown(loop_writer.drain)
process.at_shutdown(store.writer.drain)
