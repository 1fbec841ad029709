"""A connection that the event loop drives itself, for one statement.

In: the statement's parameters, one set at a time. Out: the row that Postgres answers, or the error,
passed to a callback on the loop.

This is libpq's non-blocking interface as psycopg has it (psycopg.pq). psycopg's own asyncio
connection adds and removes the socket's watcher with each statement, and switches between tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import psycopg
from psycopg import pq

from tracking.ingest.write.connection import connect, has_news
from tracking.ingest.write.prepared_statement import (
    OTHER_SESSION,
    TRIES,
    PreparedStatement,
    Row,
    error_of,
    row_of,
)


class LoopConnection:
    """A connection that is useless once `then` got a lost connection, or a method raised."""

    def __init__(self, statement: str) -> None:
        """Connect and prepare the statement. This takes time: do not call it on the loop."""
        self._results: list[pq.abc.PGresult] = []
        self._tries = 0
        self._connection = connect()
        self._libpq = self._connection.pgconn
        self._socket = self._connection.fileno()
        try:
            self._statement = PreparedStatement(self._connection, statement)
        except psycopg.Error:
            self._connection.close()
            raise
        if self._connection.is_pooled:
            self._libpq.enter_pipeline_mode()

    def attach(
        self, loop: asyncio.AbstractEventLoop, then: Callable[[Row | Exception], None]
    ) -> None:
        """Call `then` from now on with the row or the error of each statement, and with the loss of
        an idle connection."""
        self._loop = loop
        self._then = then
        loop.add_reader(self._socket, self.receive)

    def has_news(self, *, within: float = 0.0) -> bool:
        return has_news(self._connection, within=within)

    def send(self, parameters: Mapping[str, str]) -> None:
        """Send the statement. Raises psycopg's errors."""
        self._parameters = parameters
        self._tries = TRIES
        self._send()

    def _send(self) -> None:
        self._tries -= 1
        self._statement.send(self._parameters)
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._push)

    def _push(self) -> None:
        """Send as much more of the statement as the socket accepts."""
        try:
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._then(error)

    def receive(self) -> None:
        """Read what has arrived; call `then` once the answer is complete."""
        try:
            self._libpq.consume_input()
            while not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is not None:
                    self._results.append(result)
                if self._is_complete(result):
                    answer = self._read()
                    break
            else:
                return
            if isinstance(answer, OTHER_SESSION) and self._tries:
                self._statement.learn(answer)
                self._send()
                return
        except psycopg.Error as error:
            answer = error
        self._then(answer)

    def _is_complete(self, result: pq.abc.PGresult | None) -> bool:
        """Return whether the statement ends with this result. In pipeline mode None ends each part,
        and the commit ends with the mark of the pipeline's end."""
        if self._connection.is_pooled and self._results:
            return result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC
        return result is None

    def _read(self) -> Row | Exception:
        results, self._results = self._results, []
        if not results:
            return psycopg.OperationalError("The server has closed the idle connection")
        return error_of(results) or row_of(self._connection, results)

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._connection.close()
