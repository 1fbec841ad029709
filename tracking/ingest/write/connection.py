"""A connection for ingest: outside any transaction of the host, with short timeouts."""

from __future__ import annotations

import select
import time

from tracking import connection
from tracking.conf import conf
from tracking.connection import OwnConnection


def connect() -> OwnConnection:
    """Connect to the database of Django, outside any transaction of the host."""
    return connection.connect(
        statement_timeout=conf.STATEMENT_TIMEOUT, lock_timeout=conf.LOCK_TIMEOUT
    )


#: Seconds beyond the server's own timeout after which no answer is expected.
SLACK = 2.0


def is_silent(busy_since: float | None) -> bool:
    """Return whether a statement that began then, by the monotonic clock, is not answered any more:
    the server is cut off, or its commit waits for a standby that is."""
    return busy_since is not None and time.monotonic() - busy_since > conf.STATEMENT_TIMEOUT + SLACK


def has_news(connection: OwnConnection, *, within: float = 0.0) -> bool:
    """Return whether an idle connection has something to read: the server is closing it."""
    # Not select(): it takes no descriptor above 1023, and a web server has many.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(within * 1000))
