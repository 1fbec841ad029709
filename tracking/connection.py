"""A connection of our own to the primary, beside Django's: to Postgres itself or through a pooler.

A pooler in transaction mode (PgBouncer and others) may give each transaction another session, and
a session to many clients in turn. What a session keeps is then nobody's: settings reach others, and
a prepared statement is missing or made by somebody else. Through a pooler the settings are
therefore set for one transaction, in the same round trip as its first statement.

A pooler shows itself without a further round trip: it makes up the process id that a client gets
when it connects, and `pg_backend_pid()` returns another one. Session mode is treated alike.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.utils import CursorWrapper
from psycopg.pq import TransactionStatus

from tracking import db
from tracking.sql import load

SQL = load(__file__)
CONNECT_TIMEOUT = 2


class OwnConnection(psycopg.Connection[tuple[Any, ...]]):
    """Every statement runs under the settings of the connection. One that is not in autocommit mode
    calls `configure_transaction` itself."""

    is_pooled = False
    settings: Mapping[str, str]

    def execute(self, *statement: Any, **options: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        if not (self.is_pooled and self.autocommit and self._is_idle()):
            return super().execute(*statement, **options)
        # What a pipeline sends before its end is one transaction.
        with self.pipeline():
            self.configure_transaction()
            return super().execute(*statement, **options)

    def configure_transaction(self) -> None:
        """Set the transaction that begins here, through a pooler."""
        if self.is_pooled:
            super().execute(SQL["configure_transaction"], self.settings)

    @contextmanager
    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> Iterator[psycopg.Transaction]:
        begins = self._is_idle()
        with super().transaction(savepoint_name, force_rollback) as transaction:
            if begins:
                self.configure_transaction()
            yield transaction

    def _is_idle(self) -> bool:
        return self.info.transaction_status == TransactionStatus.IDLE


def connect(*, statement_timeout: float, lock_timeout: float = 0.0) -> OwnConnection:
    """Connect to the database of Django, with timeouts in seconds, 0 for none. Raises
    psycopg.Error."""
    milliseconds = int(statement_timeout * 1000)
    parameters = {
        **db.raw_parameters(),
        "connect_timeout": CONNECT_TIMEOUT,
        "tcp_user_timeout": milliseconds,
    }
    connection = OwnConnection.connect(**parameters, autocommit=True)
    settings = {
        "statement_timeout": str(milliseconds),
        "lock_timeout": str(int(lock_timeout * 1000)),
        "role": connections[db.write_alias()].settings_dict["OPTIONS"].get("assume_role") or "",
    }
    given = {**settings, "pid": connection.info.backend_pid}
    try:
        ((is_pooled, *_),) = connection.execute(SQL["configure"], given).fetchall()
        cursor = connection.cursor()
        db.learn_distribution(cursor.execute, cursor.fetchone)
    except BaseException:
        connection.close()
        raise
    connection.settings, connection.is_pooled = settings, is_pooled
    if is_pooled:
        connection.prepare_threshold = None
    return connection


def cut(connection: psycopg.Connection[Any]) -> None:
    """End the connection under a thread that waits for its answer."""
    with socket.socket(fileno=connection.fileno()) as ours:
        try:
            ours.shutdown(socket.SHUT_RDWR)
        finally:
            # The descriptor is psycopg's.
            ours.detach()


def is_pooled(cursor: CursorWrapper) -> bool:
    """Return whether a pooler stands between Django's connection and Postgres."""
    cursor.execute("SELECT pg_backend_pid() <> %s", [cursor.connection.info.backend_pid])
    ((pooled,),) = cursor.fetchall()
    return bool(pooled)
