"""A connection for ingest: outside any transaction of the host, with short timeouts."""

from __future__ import annotations

import select

from tracking import connection
from tracking.conf import conf
from tracking.connection import OwnConnection


def connect() -> OwnConnection:
    """Connect to the database of Django, outside any transaction of the host."""
    return connection.connect(
        statement_timeout=conf.STATEMENT_TIMEOUT, lock_timeout=conf.LOCK_TIMEOUT
    )


def has_news(connection: OwnConnection, *, within: float = 0.0) -> bool:
    """Return whether an idle connection has something to read: the server is closing it."""
    # Not select(): it takes no descriptor above 1023, and a web server has many.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(within * 1000))
