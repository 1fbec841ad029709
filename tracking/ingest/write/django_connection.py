"""The calling thread's Django connection, with the part of psycopg's interface that storing uses.

What it stores is part of the caller's transaction.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, cast

import psycopg
from django.db import connections, transaction

from tracking import db
from tracking.connection import OwnConnection


def borrow_connection() -> OwnConnection:
    return cast(OwnConnection, DjangoConnection(db.write_alias()))


class DjangoConnection:
    """A connection on which a failed statement rolls back nothing but itself."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def transaction(self) -> AbstractContextManager[None]:
        return transaction.atomic(using=self._alias)

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None
    ) -> psycopg.Cursor[Any]:
        with self.transaction():
            # The server binds the parameters, as on the connection that this one replaces.
            cursor = psycopg.Cursor(connections[self._alias].connection)
            return cursor.execute(query, params, prepare=prepare)
