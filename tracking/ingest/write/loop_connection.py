"""A connection that the event loop drives itself, for one statement.

In: the statement's parameters, one set at a time. Out: the row that Postgres answers, or the error,
passed to a callback on the loop.

This is libpq's non-blocking interface as psycopg has it (psycopg.pq). psycopg's own asyncio
connection adds and removes the socket's watcher with each statement, and switches between tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

from tracking.ingest.write.connection import connect, has_news

NAME = b"hitstream"

Row = tuple[Any, ...]


class Numbers(dict[str, str]):
    """psycopg's named parameters as numbered ones of Postgres, in the order of their appearance."""

    def __missing__(self, name: str) -> str:
        self[name] = f"${len(self) + 1}"
        return self[name]


class LoopConnection:
    """A connection that is useless once `then` got a lost connection, or a method raised."""

    def __init__(self, statement: str) -> None:
        """Connect and prepare the statement. This takes time: do not call it on the loop."""
        numbers = Numbers()
        numbered = statement % numbers
        self._names = list(numbers)
        self._results: list[pq.abc.PGresult] = []
        self._connection = connect()
        self._libpq = self._connection.pgconn
        self._socket = self._connection.fileno()
        prepared = self._libpq.prepare(NAME, numbered.encode())
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            self._connection.close()
            raise errors.error_from_result(prepared)

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
        values = [parameters[name].encode() for name in self._names]
        self._libpq.send_query_prepared(NAME, values)
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
                if result is None:
                    answer = self._read()
                    break
                self._results.append(result)
            else:
                return
        except psycopg.Error as error:
            answer = error
        self._then(answer)

    def _read(self) -> Row | Exception:
        results, self._results = self._results, []
        for result in results:
            # The commit follows the row: an error may still follow the row.
            if result.status != pq.ExecStatus.TUPLES_OK:
                return errors.error_from_result(result)
        if not results:
            return psycopg.OperationalError("The server has closed the idle connection")
        transformer = Transformer(self._connection)
        transformer.set_pgresult(results[0])
        return transformer.load_row(0, tuple)

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._connection.close()
