"""Only one worker at a time delivers to an integration: its concurrency, its rate and its breaker
are that worker's. The lock lives and dies with the worker's database connection."""

from __future__ import annotations

from collections.abc import Collection

from tracking import db
from tracking.sql import load

SQL = load(__file__)


def take(ids: Collection[int]) -> set[int]:
    """Those of the integrations that no other worker delivers to; nobody else will meanwhile."""
    with db.write_cursor() as cursor:
        cursor.execute(SQL["take"], {"integrations": list(ids)})
        return {row[0] for row in cursor.fetchall()}


def leave(integration_id: int) -> None:
    """Any worker may deliver to the integration."""
    with db.write_cursor() as cursor:
        cursor.execute(SQL["leave"], {"integration": integration_id})
