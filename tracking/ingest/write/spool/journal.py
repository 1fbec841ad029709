"""The journal of a process: one thread appends everything that waits and fsyncs it once.

In: arrivals whose senders wait. Out: their outcomes: stored, or Unavailable where the disk is full
or fails, or the spool has reached its limit.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from tracking.conf import conf
from tracking.ingest.errors import Contended, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.pending_item import PendingItem
from tracking.ingest.write.spool.folder import Folder
from tracking.ingest.write.spool.presence import Presence
from tracking.ingest.write.spool.segment import JournalSegment, record_of

logger = logging.getLogger(__name__)

#: Seconds between two looks at the hits that wait for Postgres.
TICK = 0.1
#: Seconds for which a disk that failed is not tried again, and its log lines are not repeated.
REST, SILENCE = 0.5, 10.0


class Journal:
    """One thread and one segment per process; the first arrival starts the thread."""

    def __init__(
        self, folder: Folder, presence: Presence, expire: Callable[[], None] = lambda: None
    ) -> None:
        """`expire` is called every TICK: it hands over what has waited for Postgres too long."""
        self.folder = folder
        self._expire = expire
        self.presence = presence
        self._queue: SimpleQueue[PendingItem[Arrival, Stored] | None] = SimpleQueue()
        self._segment: JournalSegment | None = None
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rests_until = 0.0
        self._silent_until = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether the last append failed, a moment ago."""
        return time.monotonic() < self._rests_until

    def has_room(self) -> bool:
        """Return whether the next hit finds room, as far as is known without its size."""
        return self._segment is not None or self.folder.has_room()

    def submit_all(self, arrivals: Sequence[Arrival], *, within: float) -> None:
        """Append the arrivals. Raises Unavailable if one may not be on the disk."""
        items = [PendingItem[Arrival, Stored](arrival) for arrival in arrivals]
        ends = time.monotonic() + within
        for item in items:
            self.put(item)
        for item in items:
            item.wait(max(0.0, ends - time.monotonic()))

    def put(self, item: PendingItem[Arrival, Stored]) -> None:
        """Append the item soon. Raises Unavailable."""
        if self._queue.qsize() >= conf.QUEUE_SIZE:
            raise Unavailable("Too many hits are waiting to be stored; send it again later.")
        self.start()
        self._queue.put(item)

    def drain(self) -> None:
        """Append everything that was handed over, and end the thread."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._queue.put(None)
            thread.join(conf.STATEMENT_TIMEOUT)

    def abandon(self) -> None:
        """Close the files of another process, after a fork."""
        if self._segment is not None:
            self._segment.close()

    def start(self) -> None:
        """Start the thread unless it runs."""
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(
                        target=self._run, name="hitstream-spool", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            items, goes_on = self._take()
            if items:
                self._write(items)
            self._expire()
            if self._segment is not None and not (goes_on and self.presence.is_away):
                # Closed, it can be stored.
                self._end_segment()

    def _take(self) -> tuple[list[PendingItem[Arrival, Stored]], bool]:
        """Return everything that waits, as soon as something does or after a tick; and whether the
        thread goes on."""
        items: list[PendingItem[Arrival, Stored]] = []
        goes_on = True
        with suppress(Empty):
            each = self._queue.get(timeout=TICK)
            while True:
                if each is None:
                    goes_on = False
                elif not each.abandoned:
                    items.append(each)
                each = self._queue.get_nowait()
        return items, goes_on

    def _write(self, items: Sequence[PendingItem[Arrival, Stored]]) -> None:
        """Append the items, segment by segment, and settle each once it is on the disk."""
        group: list[PendingItem[Arrival, Stored]] = []
        records: list[bytes] = []
        size = 0
        for item in items:
            record = record_of(item.item)
            if group and size + len(record) > self._room():
                self._commit(group, records)
                group, records, size = [], [], 0
            group.append(item)
            records.append(record)
            size += len(record)
        self._commit(group, records)

    def _room(self) -> int:
        return self.folder.segment_bytes - (self._segment.size if self._segment else 0)

    def _commit(
        self, group: Sequence[PendingItem[Arrival, Stored]], records: Sequence[bytes]
    ) -> None:
        outcome: Stored | Exception = Stored.NEW
        try:
            self._append(records)
        except OSError as error:
            self._fail(error)
            outcome = Unavailable()
        for item in group:
            if isinstance(item, JournalItem):
                item.conclude(outcome)
            else:
                item.settle(outcome)

    def _append(self, records: Sequence[bytes]) -> None:
        """Append the records to the segment, or to a new one if they do not fit. Raises OSError."""
        if self.has_failed:
            raise OSError("the spool has just failed")
        size = sum(map(len, records))
        if self._segment is not None and size > self._room():
            self._end_segment()
        if self._segment is None:
            self._segment = self.folder.create(size)
        self._segment.append(records)

    def _fail(self, error: OSError) -> None:
        """Close the segment, which is good up to its last record, and rest for a moment."""
        now = time.monotonic()
        if now >= self._silent_until:
            logger.error("Hits are refused: the spool takes none: %s", error)
            self._silent_until = now + SILENCE
        if now >= self._rests_until:
            self._rests_until = now + REST
        if self._segment is not None:
            self._end_segment()

    def _end_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()


class JournalItem(PendingItem[Arrival, Stored]):
    """An arrival that goes to the journal if Postgres does not commit it. Both may settle it, on
    threads of their own: the first success counts.

    The two locks are never waited for: each is taken once, by the thread that settles the item, and
    by the one that puts it into the journal.
    """

    __slots__ = ("_journal", "_settling", "_spooling", "begun_at")

    def __init__(self, item: Arrival, then: Callable[[], None], journal: Journal) -> None:
        super().__init__(item, then)
        self._journal = journal
        self.begun_at = time.monotonic()
        self._settling, self._spooling = threading.Lock(), threading.Lock()

    @property
    def is_ended(self) -> bool:
        return self.is_settled or self._spooling.locked()

    def spool(self) -> None:
        """Put the item into the journal, unless it is there. Raises Unavailable."""
        if self._spooling.acquire(blocking=False):
            self._journal.put(self)

    def settle(self, outcome: Stored | Exception) -> None:
        """Take the outcome of Postgres."""
        if not isinstance(outcome, Unavailable):
            self.conclude(outcome)
        elif not self.is_ended:
            if not isinstance(outcome, Contended):
                self._journal.presence.lose()
            try:
                self.spool()
            except Unavailable as error:
                self.conclude(error)

    def conclude(self, outcome: Stored | Exception) -> None:
        if self._settling.acquire(blocking=False):
            super().settle(outcome)
