"""The calling thread's Django connection, with as much of psycopg's interface as storing uses.

What is stored through it is part of the caller's transaction.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, cast

import psycopg
from django.db import connections, transaction

from tracking import db
from tracking.ingest.write.connection import Connection


def borrow_connection() -> Connection:
    return cast(Connection, DjangoConnection(db.write_alias()))


class DjangoConnection:
    """A statement that fails takes nothing but itself back."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic(using=self._alias)

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None
    ) -> psycopg.Cursor[Any]:
        with self.transaction():
            # Parameters are bound by the server, as on the connection that this stands in for.
            cursor = psycopg.Cursor(connections[self._alias].connection)
            return cursor.execute(query, params, prepare=prepare)
