"""Chunks of a file into the database, one after the other, while the caller reads the next.

In: a Chunk. Out: an ItemResult for each of its hits. The hits and the count of finished lines are
one transaction, so an import that ends for whatever reason resumes where it was.

The statement is sent in psycopg's pipeline mode, which does not wait for the answer. A waiting
thread would wait for the parser each time it needs the interpreter's lock: that took a third of the
time.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any, cast

import psycopg

from tracking import wakeup
from tracking.connection import OwnConnection, connect
from tracking.ingest.errors import IngestError, Unavailable
from tracking.ingest.file_import.line_file import FileLine
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import store
from tracking.ingest.write.bulk import ItemResult, conclude
from tracking.ingest.write.outcome import Stored
from tracking.models.analytics import late_arrivals
from tracking.sql import load

#: Seconds. No sender waits for an answer here, so a chunk may take its time.
TIMEOUT = 60.0
SQL = load(__file__)


class AlreadyImporting(Exception):
    """Another process imports the same file."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of the file, parsed. `start` and `end` are the lines finished before and after the
    chunk; `position` is the offset of its end in the file, in bytes."""

    start: int
    end: int
    position: int
    lines: Sequence[FileLine]
    found: Sequence[Arrival | IngestError]

    @property
    def arrivals(self) -> list[Arrival]:
        return [each for each in self.found if isinstance(each, Arrival)]


class ChunkWriter:
    """Call `send`, `settle`, `commit`, and again. Each raises psycopg's errors."""

    def __init__(self, import_id: int) -> None:
        self._import_id = import_id
        self._connect()

    def _connect(self) -> None:
        self._connection = connect(statement_timeout=TIMEOUT, lock_timeout=TIMEOUT)
        self._connection.autocommit = False

    def send(self, chunk: Chunk) -> None:
        """Send the chunk to Postgres without waiting for the answer. A refusal that comes at once
        waits for `settle`."""
        self._batch = store.without_duplicates(chunk.arrivals)
        self._queued = False
        self._refusal: Exception | None = None
        self._pipeline = ExitStack()
        self._pipeline.enter_context(self._connection.pipeline())
        self._claimed = self._claim(chunk)
        self._stored = self._connection.cursor()
        if self._batch:
            # The caller commits once it has read the next chunk.
            parameters = store.parameters(self._batch, late_arrivals.ALWAYS)
            try:
                self._stored.execute(store.SQL["store"], parameters, prepare=True)
            except store.RECOVERABLE as error:
                self._refusal = error
                return
        self._flush()

    def _claim(self, chunk: Chunk) -> psycopg.Cursor[tuple[Any, ...]]:
        """Move the import past the chunk's lines. If another process did, no row changes."""
        self._connection.configure_transaction()
        parameters = {"import": self._import_id, "start": chunk.start, "end": chunk.end}
        return self._connection.execute(SQL["claim"], parameters)

    def _flush(self) -> None:
        """Hand the whole statement to Postgres, which works on it from here on."""
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLOUT)
        while self._connection.pgconn.flush():
            poll.poll(1000)

    def settle(self, chunk: Chunk) -> list[ItemResult]:
        """Return the result of each hit, valid once it is committed. Raises AlreadyImporting."""
        try:
            outcomes = self._hear()
        except store.RECOVERABLE:
            outcomes = self._store_carefully(chunk)
        if self._claimed.rowcount != 1:
            raise AlreadyImporting
        results = list(conclude(chunk.found, iter(store.outcome_of_each(chunk.arrivals, outcomes))))
        for result in results:
            if isinstance(result.error, Unavailable):
                raise result.error
        stored = sum(result.stored is Stored.NEW for result in results)
        refused = sum(result.error is not None for result in results)
        counts = {
            "stored": stored,
            "duplicate": len(results) - stored - refused,
            "refused": refused,
        }
        self._connection.execute(SQL["count"], {**counts, "import": self._import_id})
        return results

    def _hear(self) -> store.Outcomes:
        if self._refusal is not None:
            raise self._refusal
        row = self._stored.fetchone() if self._batch else (False, ())
        self._pipeline.close()
        queues, duplicate_ids = cast(tuple[bool, Sequence[Any]], row)
        return store.outcomes_of(self._batch, queues, duplicate_ids, self._enqueue)

    def _enqueue(self) -> None:
        self._queued = True

    def _store_carefully(self, chunk: Chunk) -> store.Outcomes:
        """Store the chunk on a new connection, with a savepoint around each statement: one bad hit
        has failed the whole chunk."""
        self._connection.close()
        self._connect()
        self._claimed = self._claim(chunk)
        return store.insert(
            cast(OwnConnection, OneByOne(self._connection)), self._batch, self._enqueue
        )

    def commit(self) -> None:
        """Commit the settled chunk, and wake the dispatcher if anything is queued."""
        self._connection.commit()
        if self._queued:
            wakeup.wake_dispatcher()

    def close(self) -> None:
        self._connection.close()


class OneByOne:
    """A connection on which a failed statement rolls back nothing but itself."""

    def __init__(self, connection: OwnConnection) -> None:
        self._connection = connection

    def transaction(self) -> AbstractContextManager[object]:
        return self._connection.transaction()

    def execute(self, *statement: Any, **options: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        with self.transaction():
            return self._connection.execute(*statement, **options)
