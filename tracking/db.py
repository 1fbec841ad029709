"""The database of Hitstream's tables: its aliases, cursors and transactions.

All tables of the app live in one database. The project's routers name it; a router may name a
replica for reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.db.backends.utils import CursorWrapper
from django.db.transaction import Atomic

LABEL = "hitstream"


def write_alias() -> str:
    """Return the alias of the primary."""
    return router.db_for_write(apps.get_model(LABEL, "Hit"))


def read_alias() -> str:
    """Return the alias for reads that may lag behind the primary."""
    return router.db_for_read(apps.get_model(LABEL, "Hit"))


def write_cursor() -> CursorWrapper:
    """Open a cursor on the primary."""
    return connections[write_alias()].cursor()


def read_cursor() -> CursorWrapper:
    """Open a cursor for reads that may lag behind the primary."""
    return connections[read_alias()].cursor()


def atomic() -> Atomic:
    """Open a transaction, or a savepoint inside one, on the primary."""
    return transaction.atomic(using=write_alias())


def close() -> None:
    """Close this thread's connection to the primary."""
    connections[write_alias()].close()


def release() -> None:
    """Give this thread's connections back while it waits for something else than the database. They
    are opened again when they are needed; one inside a transaction stays."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


#: Whether the tables of hits are distributed; None until a connection has told.
_distributed: bool | None = None


def is_distributed() -> bool:
    """Return whether the tables of hits are distributed by token over several servers (Citus), as
    of the first call in this process."""
    if _distributed is None:
        with write_cursor() as cursor:
            learn_distribution(cursor.execute, cursor.fetchone)
    return bool(_distributed)


def learn_distribution(execute: Callable[[str], Any], fetchone: Callable[[], Any]) -> None:
    """Ask this connection to the primary, unless the answer is known."""
    global _distributed
    if _distributed is None:
        execute("SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL")
        found = fetchone()[0]
        if found:
            execute(
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition"
                " WHERE logicalrelid = to_regclass('hitstream_hit'))"
            )
            found = fetchone()[0]
        _distributed = found


def forget_distribution() -> None:
    """Ask again: the tables have just been distributed."""
    global _distributed
    _distributed = None


def raw_parameters() -> dict[str, Any]:
    """Return the primary's connection parameters for a psycopg connection of our own, without what
    Django adds for its cursors."""
    parameters = connections[write_alias()].get_connection_params()
    return {
        name: value
        for name, value in parameters.items()
        if name not in ("cursor_factory", "context", "prepare_threshold")
    }
