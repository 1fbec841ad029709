"""From the journal to Postgres: every spooled hit is stored once, in the order of receipt.

A process that is killed between the commit and the deletion of the segment leaves hits that are
stored already: they are looked up by their ids and left out. The same hitId that arrived twice is
a duplicate as ever.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg import errors

from tracking.conf import conf
from tracking.connection import OwnConnection
from tracking.ingest.errors import Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import batch_report, fanout, store
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.spool.folder import UNSTORABLE, Folder, keep
from tracking.ingest.write.spool.segment import SegmentReader, record_of
from tracking.log_fields import log_fields
from tracking.models.hits import partitions
from tracking.sql import load
from tracking.uuid7 import moment_of

logger = logging.getLogger(__name__)

#: Segments that are read together: more than a node has processes, whose hits are then in order.
TOGETHER = 32
#: Seconds after which a segment that could not be read is tried again.
REST = 10.0
#: Why a hit is kept whose day is neither present nor one that the sweep creates.
NO_DAY = "its day has no partition, and this role may create none: %s"
SQL = load(__file__)


class Drain:
    """Stores the closed segments batch by batch; what failed is tried again with the next step."""

    def __init__(self, folder: Folder, put_back: Callable[[Sequence[Arrival]], None]) -> None:
        """`put_back` takes hits that another transaction holds up: they wait for a later round."""
        self._folder = folder
        self._put_back = put_back
        self._readers: list[SegmentReader] = []
        self._arrivals: Iterator[Arrival] = iter(())
        self._batch: list[Arrival] = []
        #: Segments that could not be read, and when they are tried again, by the monotonic clock.
        self._rests: dict[Path, float] = {}
        self.stored = 0

    def step(self, connection: OwnConnection) -> bool:
        """Store one batch. Returns False if there is none. Raises psycopg's errors."""
        if not self._batch and not self._fill():
            self._leave_ended()
            if not self._open():
                return False
        if self._batch:
            self._store(connection, self._batch)
        self._leave_ended()
        return True

    def close(self) -> None:
        """Give the segments back, with what is not stored."""
        for reader in self._readers:
            reader.close()
        self._readers, self._arrivals, self._batch = [], iter(()), []

    def abandon(self) -> None:
        """Close the files of another process, after a fork."""
        for reader in self._readers:
            reader.abandon()

    def _open(self) -> bool:
        """Take the oldest closed segments. Returns whether there is one."""
        for path in self._folder.segments():
            if self._rests.get(path, 0.0) > time.monotonic():
                continue
            if len(self._readers) < TOGETHER and (reader := SegmentReader.take(path)):
                self._readers.append(reader)
        in_order = (reader.arrivals() for reader in self._readers)
        self._arrivals = heapq.merge(*in_order, key=lambda arrival: arrival.id.int)
        self._fill()
        return bool(self._readers)

    def _fill(self) -> bool:
        """Read the next batch. Returns whether it has a hit."""
        room = conf.MAX_STATEMENT_DELIVERIES
        while len(self._batch) < conf.MAX_STATEMENT_ROWS and room > 0:
            arrival = next(self._arrivals, None)
            if arrival is None:
                break
            self._batch.append(arrival)
            room -= fanout.weight(arrival)
        return bool(self._batch)

    def _leave_ended(self) -> None:
        """Delete the segments of which everything is stored, and close those that could not be
        read: a later round reads them from the start."""
        for reader in [each for each in self._readers if each.is_exhausted or each.has_failed]:
            if reader.is_exhausted:
                reader.remove()
                self._rests.pop(reader.path, None)
            else:
                reader.close()
                self._rests[reader.path] = time.monotonic() + REST
            self._readers.remove(reader)

    def _store(self, connection: OwnConnection, batch: Sequence[Arrival]) -> None:
        """Commit what is not stored yet. What neither is committed nor refused stays the batch."""
        missing = leave_out_stored(connection, batch)
        try:
            outcomes = store.store(connection, missing) if missing else []
        except (*store.PARTITION_ERRORS, errors.InsufficientPrivilege) as error:
            if not may_lack_day(error):
                raise
            # Days without a partition: retention has dropped them, or the outage was long.
            missing = self._with_days(connection, missing)
            outcomes = store.store(connection, missing) if missing else []
        except errors.UniqueViolation:
            # The statement of a killed process has committed meanwhile.
            missing = leave_out_stored(connection, batch)
            outcomes = store.store(connection, missing) if missing else []
        self._conclude([*zip(missing, outcomes, strict=True)])

    def _with_days(self, connection: OwnConnection, batch: list[Arrival]) -> list[Arrival]:
        """Create the partitions of the batch. Returns the hits that have one; where this role may
        create none, the others are kept, but for days that the owner's sweep creates. Raises
        psycopg's errors."""
        days = days_of(batch)
        try:
            with connection.transaction():
                partitions.make_days(connection.execute, days)
            return batch
        except errors.InsufficientPrivilege as error:
            lacking = partitions.days_missing(connection.execute, days)
            if not lacking or lacking & partitions.days_wanted(datetime.now(UTC).date()):
                raise
            found = [each for each in batch if days_of([each]) <= lacking]
            self._keep([(each, NO_DAY % error.diag.message_primary) for each in found])
            self._batch = [each for each in batch if each not in found]
            return self._batch

    def _conclude(self, results: Sequence[tuple[Arrival, Stored | Exception]]) -> None:
        """Count what is stored, keep what was refused, and put back what is held up. After an error
        of the disk only what is left of it is tried again."""
        refused = [
            (arrival, outcome)
            for arrival, outcome in results
            if isinstance(outcome, Exception) and not isinstance(outcome, Unavailable)
        ]
        held_up = [arrival for arrival, outcome in results if isinstance(outcome, Unavailable)]
        self._batch = [arrival for arrival, _ in refused] + held_up
        self.stored += len(results) - len(self._batch)
        batch_report.observe_arrivals(each for each, outcome in results if outcome is Stored.NEW)
        if refused:
            self._keep(refused)
        self._batch = held_up
        if held_up:
            self._put_back(held_up)
        self._batch = []

    def _keep(self, refused: Sequence[tuple[Arrival, object]]) -> None:
        """Keep hits that Postgres cannot hold in a file of their own, with the reason in the log:
        their senders have a 204. Raises OSError."""
        path = self._folder.path / UNSTORABLE
        keep(path, [record_of(arrival) for arrival, _ in refused])
        for arrival, reason in refused:
            fields = log_fields(hits=[arrival.id], tokens=[arrival.token_id])
            token = arrival.token_id
            logger.error(
                "A spooled hit of token %s is in %s: %s", token, path, reason, extra=fields
            )


def leave_out_stored(connection: OwnConnection, batch: Sequence[Arrival]) -> list[Arrival]:
    """Return the hits of the batch that are not stored under their ids, each once: a hit may stand
    in the journal twice if its put-back was in doubt."""
    ids = [arrival.id for arrival in batch]
    bounds = {"ids": ids, "first": min(ids), "last": max(ids)}
    stored = {row[0] for row in connection.execute(SQL["stored"], bounds).fetchall()}
    return [*{each.id: each for each in batch if each.id not in stored}.values()]


def may_lack_day(error: psycopg.Error) -> bool:
    """Return whether a hit of the batch may have no partition. A role that may not create one gets
    this error where the next days are missing, too."""
    return isinstance(error, errors.InsufficientPrivilege) or partitions.is_missing(error)


def days_of(batch: Sequence[Arrival]) -> set[date]:
    return {moment_of(arrival.id).date() for arrival in batch}
