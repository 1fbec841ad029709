"""Django's connections leave a server that was demoted, or that does not answer (`silence`).

A standby answers reads, and every write with an error. A connection that led to the primary and got
such an error is closed, with all that wait in its pool: the next one finds the server that takes
writes now, by the hosts of the connection or by what stands before them. The statement raises
OperationalError, like any whose server is lost: no integration and no page is to blame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import InternalError, OperationalError
from django.db.backends.signals import connection_created
from psycopg import errors

from tracking import db, silence

logger = logging.getLogger(__name__)


def install() -> None:
    """Watch every connection to the primary from its first statement on."""
    connection_created.connect(watch, dispatch_uid="hitstream.failover")


def watch(connection: Any, **kwargs: Any) -> None:
    if connection.alias == db.write_alias():
        silence.watch.add(connection)
        if leave_demoted not in connection.execute_wrappers:
            connection.execute_wrappers.append(leave_demoted)


def leave_demoted(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    try:
        return execute(sql, params, many, context)
    except InternalError as error:
        if not isinstance(error.__cause__, errors.ReadOnlySqlTransaction):
            raise
        leave(context["connection"])
        raise OperationalError(*error.args) from error.__cause__


def leave(connection: Any) -> None:
    """Close the connection and those that wait in its pool; those in use are closed when they come
    back."""
    logger.warning("Postgres takes no writes on this connection: it is closed.")
    if connection.pool:
        connection.pool.drain()
    connection.connection.close()
