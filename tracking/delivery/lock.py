"""The lock of an integration: one worker at a time delivers to it, with its own concurrency, rate
and breaker. The lock lives and dies with the worker's database connection.
"""

from __future__ import annotations

from collections.abc import Collection

from tracking import db
from tracking.sql import load

SQL = load(__file__)


def take(ids: Collection[int]) -> set[int]:
    """Lock the integrations that no other worker has locked. Returns these."""
    with db.write_cursor() as cursor:
        cursor.execute(SQL["take"], {"integrations": list(ids)})
        return {row[0] for row in cursor.fetchall()}


def leave(integration_id: int) -> None:
    """Release the integration's lock."""
    with db.write_cursor() as cursor:
        cursor.execute(SQL["leave"], {"integration": integration_id})
