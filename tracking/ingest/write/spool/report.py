"""What the keeper of a node tells Postgres about its spool."""

from __future__ import annotations

import socket

from tracking.connection import OwnConnection
from tracking.ingest.write.spool.status import SpoolStatus
from tracking.sql import load

SQL = load(__file__)


def report(connection: OwnConnection, status: SpoolStatus) -> None:
    """Write the node's row."""
    parameters = {
        "node": socket.gethostname(),
        "bytes": status.bytes,
        "hits": status.hits,
        "oldest": status.oldest if status.hits else None,
        "limit": status.limit,
    }
    connection.execute(SQL["report"], parameters)
