"""From the journal to Postgres: every spooled hit is stored once, in the order of receipt.

A process that is killed between the commit and the deletion of the segment leaves hits that are
stored already: they are looked up by their ids and left out. The same hitId that arrived twice is
a duplicate as ever.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from psycopg import errors

from tracking.conf import conf
from tracking.connection import OwnConnection
from tracking.ingest.errors import IngestError, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import batch_report, fanout, store
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.spool.folder import UNSTORABLE, Folder
from tracking.ingest.write.spool.segment import SegmentReader, record_of
from tracking.log_fields import log_fields
from tracking.models.hits import partitions
from tracking.sql import load
from tracking.uuid7 import moment_of

logger = logging.getLogger(__name__)

#: Segments that are read together: more than a node has processes, whose hits are then in order.
TOGETHER = 32
SQL = load(__file__)


class Drain:
    """Stores the closed segments batch by batch; what failed is tried again with the next step."""

    def __init__(self, folder: Folder, put_back: Callable[[Arrival], None]) -> None:
        """`put_back` takes hits that another transaction holds up: they wait for a later round."""
        self._folder = folder
        self._put_back = put_back
        self._readers: list[SegmentReader] = []
        self._arrivals: Iterator[Arrival] = iter(())
        self._batch: list[Arrival] = []
        self.stored = 0

    def step(self, connection: OwnConnection) -> bool:
        """Store one batch. Returns False if there is none. Raises psycopg's errors."""
        if not self._batch and not self._fill():
            self._remove_exhausted()
            if not self._open():
                return False
        if self._batch:
            self._store(connection, self._batch)
            self._batch = []
        self._remove_exhausted()
        return True

    def close(self) -> None:
        """Give the segments back, with what is not stored."""
        for reader in self._readers:
            reader.close()
        self._readers, self._arrivals, self._batch = [], iter(()), []

    def _open(self) -> bool:
        """Take the oldest closed segments. Returns whether there is one."""
        for path in self._folder.segments():
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

    def _remove_exhausted(self) -> None:
        """Delete the segments of which everything is stored."""
        for reader in [each for each in self._readers if each.is_exhausted]:
            reader.remove()
            self._readers.remove(reader)

    def _store(self, connection: OwnConnection, batch: Sequence[Arrival]) -> None:
        """Commit what is not stored yet."""
        missing = leave_out_stored(connection, batch)
        try:
            outcomes = store.store(connection, missing) if missing else []
        except errors.CheckViolation:
            # Days without a partition: retention has dropped them, or the outage was long.
            with connection.transaction():
                partitions.make_days(connection.execute, days_of(missing))
            outcomes = store.store(connection, missing)
        except errors.UniqueViolation:
            # The statement of a killed process has committed meanwhile.
            missing = leave_out_stored(connection, batch)
            outcomes = store.store(connection, missing)
        for arrival, outcome in zip(missing, outcomes, strict=True):
            self._conclude(arrival, outcome)
        new = zip(missing, outcomes, strict=True)
        batch_report.observe_arrivals(each for each, outcome in new if outcome is Stored.NEW)

    def _conclude(self, arrival: Arrival, outcome: Stored | Exception) -> None:
        if isinstance(outcome, Unavailable):
            self._put_back(arrival)
        elif isinstance(outcome, IngestError):
            self._keep(arrival, outcome)
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            self.stored += 1

    def _keep(self, arrival: Arrival, error: IngestError) -> None:
        """Keep a hit that Postgres cannot hold in a file of its own: its sender has a 204."""
        path = self._folder.path / UNSTORABLE
        with path.open("ab") as file:
            file.write(record_of(arrival))
        fields = log_fields(hits=[arrival.id], tokens=[arrival.token_id])
        token = arrival.token_id
        logger.error("A spooled hit of token %s is in %s: %s", token, path, error, extra=fields)


def leave_out_stored(connection: OwnConnection, batch: Sequence[Arrival]) -> list[Arrival]:
    """Return the hits of the batch that are not stored under their ids."""
    ids = [arrival.id for arrival in batch]
    bounds = {"ids": ids, "first": min(ids), "last": max(ids)}
    stored = {row[0] for row in connection.execute(SQL["stored"], bounds).fetchall()}
    return [arrival for arrival in batch if arrival.id not in stored]


def days_of(batch: Sequence[Arrival]) -> set[date]:
    return {moment_of(arrival.id).date() for arrival in batch}
