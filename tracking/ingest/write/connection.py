"""A connection for ingest: outside any transaction of the host, with short timeouts."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db import connections

from tracking import db
from tracking.conf import conf

Connection = psycopg.Connection[tuple[Any, ...]]


def connect() -> Connection:
    """Connect to the database of Django, outside any transaction of the host."""
    milliseconds = int(conf.STATEMENT_TIMEOUT * 1000)
    lock_milliseconds = int(conf.LOCK_TIMEOUT * 1000)
    connection = psycopg.connect(
        **{**db.raw_parameters(), "connect_timeout": 2, "tcp_user_timeout": milliseconds},
        autocommit=True,
    )
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
        " set_config('timezone', 'UTC', false),"
        " set_config('role', coalesce(%s, current_setting('role')), false)",
        [
            str(milliseconds),
            str(lock_milliseconds),
            connections[db.write_alias()].settings_dict["OPTIONS"].get("assume_role"),
        ],
    )
    return connection


def has_news(connection: Connection, *, within: float = 0.0) -> bool:
    """Return whether an idle connection has something to read: the server is closing it."""
    # Not select(): it takes no descriptor above 1023, and a web server has many.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(within * 1000))
