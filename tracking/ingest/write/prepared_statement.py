"""One statement that is prepared on a connection of ingest, through libpq's own interface.

Planning the storing statement takes five times as long as running it, so it is planned once for
each session. Through a pooler in transaction mode the session may be another one each time. The
name holds a digest of the text: the session that lacks the statement gets it, and one that has it,
from whichever client, has the same. PgBouncer from 1.21 on may keep prepared statements itself, and
then no session lacks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

from tracking.connection import SQL, OwnConnection

Row = tuple[Any, ...]

#: In each of these the session is not the one that was expected: it is tried again.
OTHER_SESSION = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)
#: Sessions that a pooler may change under one statement.
TRIES = 5
GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.PIPELINE_SYNC)


class Numbers(dict[str, str]):
    """psycopg's named parameters as numbered ones of Postgres, in the order of their appearance."""

    def __missing__(self, name: str) -> str:
        self[name] = f"${len(self) + 1}"
        return self[name]


class Query:
    """A text for libpq, and its parameters in order."""

    def __init__(self, text: str) -> None:
        numbers = Numbers()
        self.text = (text % numbers).encode()
        self._names = list(numbers)

    def values(self, parameters: Mapping[str, str]) -> list[bytes]:
        return [parameters[name].encode() for name in self._names]


CONFIGURE = Query(SQL["configure_transaction"])


class PreparedStatement:
    """Raises psycopg's errors."""

    def __init__(self, connection: OwnConnection, statement: str) -> None:
        """Prepare the statement. This takes time: do not call it on the loop."""
        self.connection = connection
        self._libpq = connection.pgconn
        self._query = Query(statement)
        self._name = b"hitstream_" + sha256(self._query.text).hexdigest()[:16].encode()
        self._is_missing = False
        if error := error_of([self._libpq.prepare(self._name, self._query.text)]):
            self.learn(error)

    def send(self, parameters: Mapping[str, str]) -> None:
        """Send the statement without waiting; through a pooler with its settings, in libpq's
        pipeline mode, as one transaction."""
        values = self._query.values(parameters)
        if self.connection.is_pooled:
            if self._is_missing:
                self._libpq.send_prepare(self._name, self._query.text)
                self._is_missing = False
            self._libpq.send_query_params(
                CONFIGURE.text, CONFIGURE.values(self.connection.settings)
            )
        self._libpq.send_query_prepared(self._name, values)
        if self.connection.is_pooled:
            self._libpq.pipeline_sync()

    def execute(self, parameters: Mapping[str, str]) -> Row:
        """Run the statement inside the connection's transaction, and return its row."""
        results = []
        if self._is_missing:
            results.append(self._libpq.prepare(self._name, self._query.text))
            self._is_missing = False
        if not error_of(results):
            values = self._query.values(parameters)
            results.append(self._libpq.exec_prepared(self._name, values))
        if error := error_of(results):
            raise error
        return row_of(self.connection, results)

    def learn(self, error: Exception) -> None:
        """Take the session for another one than was expected. Raises the error if it says something
        else."""
        if not self.connection.is_pooled or not isinstance(error, OTHER_SESSION):
            raise error
        self._is_missing = isinstance(error, errors.InvalidSqlStatementName)


def error_of(results: Sequence[pq.abc.PGresult]) -> psycopg.Error | None:
    """Return the first error. The commit follows the row: an error may still follow the row."""
    for result in results:
        if result.status not in GOOD:
            return errors.error_from_result(result)
    return None


def row_of(connection: OwnConnection, results: Sequence[pq.abc.PGresult]) -> Row:
    """Return the row of the last result that has rows."""
    rows = [each for each in results if each.status == pq.ExecStatus.TUPLES_OK]
    transformer = Transformer(connection)
    transformer.set_pgresult(rows[-1])
    return transformer.load_row(0, tuple)
