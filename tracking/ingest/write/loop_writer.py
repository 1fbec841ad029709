"""Arrivals stored by the event loop itself: no thread is woken to send them, and none to tell.

In: arrivals from a server that runs the view on its event loop. Out: settled Tickets, after the
commit. What arrives during a statement is the next batch, as with a Group. Whatever the lane cannot
do goes to the Group's thread: connecting takes time, and a batch may fail for one of its rows.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable

import psycopg

from tracking import process
from tracking.conf import conf
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import store
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.loop_connection import LoopConnection, Row
from tracking.ingest.write.pending_item import PendingItem, check_capacity
from tracking.ingest.write.store import Stored
from tracking.models.analytics import late_arrivals

logger = logging.getLogger(__name__)

#: The least time between two attempts to connect, in seconds.
CONNECT_INTERVAL = 1.0

PendingArrival = PendingItem[Arrival, Stored]


class LoopWriter:
    """One connection for the process' event loop; made by an arrival that finds none."""

    def __init__(self, writer: BatchThread[Arrival, Stored]) -> None:
        self._writer = writer
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._wire: LoopConnection | None = None
        self._connect_after = 0.0
        self._waiting: deque[PendingArrival] = deque()
        self._clear()

    def _clear(self) -> None:
        """Nothing is under way."""
        self._sent: list[PendingArrival] = []
        self._batch: list[Arrival] = []
        self._busy_since: float | None = None

    def hand(self, arrival: Arrival, then: Callable[[], None]) -> PendingArrival:
        """The arrival is on its way, and `then` will be called. Called on the loop. Raises
        Unavailable where it would wait in vain."""
        if self._wire is None:
            self._connect()
            return self._writer.hand(arrival, then)
        check_capacity(waiting=len(self._waiting), busy_since=self._busy_since)
        ticket = PendingArrival(arrival, then)
        self._waiting.append(ticket)
        if not self._sent and len(self._waiting) == 1:
            # At the end of the loop's turn: whatever arrives in the same turn goes along.
            self._loop.call_soon(self._send)
        return ticket

    def drain(self) -> None:
        """All that was handed over is settled or the thread's to settle, and the connection is
        closed. For the thread of a loop that has stopped."""
        ends = time.monotonic() + conf.STATEMENT_TIMEOUT
        self._send()
        while self._wire is not None and self._sent:
            if not self._wire.has_news(within=max(0.0, ends - time.monotonic())):
                break
            self._wire.receive()
        self._close()

    def _connect(self) -> None:
        if time.monotonic() >= self._connect_after:
            self._connect_after = math.inf
            self._loop = asyncio.get_running_loop()
            made = self._loop.run_in_executor(None, LoopConnection, store.SQL["store"])
            made.add_done_callback(self._connected)

    def _connected(self, made: asyncio.Future[LoopConnection]) -> None:
        self._connect_after = time.monotonic() + CONNECT_INTERVAL
        try:
            self._wire = made.result()
        except psycopg.Error as error:
            logger.warning("Hits are stored by the thread for now: %s", error)
        else:
            self._wire.attach(self._loop, self._hear)

    def _send(self) -> None:
        """What has arrived is on its way, as far as somebody still waits for it."""
        wire = self._wire
        if wire is None or self._sent:
            return
        try:
            if wire.has_news():
                self._close()
            while self._waiting and not self._sent:
                count = min(len(self._waiting), conf.MAX_STATEMENT_ROWS)
                tickets = [self._waiting.popleft() for _ in range(count)]
                self._sent = [ticket for ticket in tickets if not ticket.abandoned]
            if self._sent:
                self._busy_since = time.monotonic()
                self._batch = store.without_duplicates([ticket.item for ticket in self._sent])
                wire.send(store.parameters(self._batch, late_arrivals.after()))
        except Exception as error:
            self._fail(error)

    def _hear(self, said: Row | Exception) -> None:
        """What was sent is settled, or the thread's to settle; what has arrived since is sent."""
        try:
            if isinstance(said, store.RECOVERABLE):
                self._pass_on(self._sent)
            elif isinstance(said, Exception):
                raise said
            else:
                self._settle(said)
        except Exception as error:
            self._fail(error)
            return
        self._clear()
        if self._waiting:
            self._send()

    def _settle(self, row: Row) -> None:
        arrivals = [ticket.item for ticket in self._sent]
        outcomes = store.outcome_of_each(arrivals, store.outcomes_of(self._batch, *row))
        for ticket, outcome in zip(self._sent, outcomes, strict=True):
            ticket.settle(outcome)

    def _pass_on(self, tickets: Iterable[PendingArrival]) -> None:
        for ticket in tickets:
            try:
                self._writer.take(ticket)
            except Unavailable as error:
                ticket.settle(error)

    def _fail(self, error: Exception) -> None:
        """Gone, too slow, full, or read-only is the database's trouble, not our code's."""
        expected = isinstance(error, psycopg.OperationalError | psycopg.InternalError)
        level = logging.WARNING if expected else logging.ERROR
        logger.log(
            level,
            "The loop's connection: %s hits wait in vain: %s",
            len(self._sent),
            error,
            exc_info=None if expected else error,
        )
        self._close()

    def _close(self) -> None:
        """Nobody knows of what was sent whether it is stored; what was not goes by the thread."""
        wire, self._wire = self._wire, None
        sent, waiting = self._sent, self._waiting
        self._clear()
        self._waiting = deque()
        if wire is not None:
            wire.close()
        for ticket in sent:
            ticket.settle(Unavailable())
        self._pass_on(waiting)


loop_writer = LoopWriter(store.writer)
process.at_shutdown(loop_writer.drain)
process.at_shutdown(store.writer.drain)
