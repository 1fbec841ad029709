"""Only one worker at a time delivers to an integration: its concurrency, its rate and its breaker
are that worker's. The lock lives and dies with the worker's database connection."""

from __future__ import annotations

from collections.abc import Collection

from tracking import db

TAKE = """
    SELECT id FROM unnest(%s::bigint[]) AS id
    WHERE pg_try_advisory_lock(hashtextextended('hitstream-deliver', id))
"""
LEAVE = "SELECT pg_advisory_unlock(hashtextextended('hitstream-deliver', %s))"


def take(ids: Collection[int]) -> set[int]:
    """Those of the integrations that no other worker delivers to; nobody else will meanwhile."""
    with db.write_cursor() as cursor:
        cursor.execute(TAKE, [list(ids)])
        return {row[0] for row in cursor.fetchall()}


def leave(integration_id: int) -> None:
    """Any worker may deliver to the integration."""
    with db.write_cursor() as cursor:
        cursor.execute(LEAVE, [integration_id])
