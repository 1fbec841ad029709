"""The latest hits, and the states of their deliveries."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from tracking import db
from tracking.sql import load

#: The number of hits, however many are stored.
RECENT = 500

SQL = load(__file__)


def recent_hits(limit: int = RECENT) -> list[dict[str, Any]]:
    """Return the latest hits first, each ready for JSON: its ids, event and user, `at` in
    milliseconds since 1970, `states` with the number of deliveries in each state. Runs two
    statements, both on an index."""
    with db.read_cursor() as cursor:
        cursor.execute(SQL["hits"], {"limit": limit})
        rows = cursor.fetchall()
        if not rows:
            return []
        ids = [row[0] for row in rows]
        cursor.execute(SQL["states"], {"ids": ids, "first": min(ids), "last": max(ids)})
        states: dict[Any, dict[str, int]] = {}
        for hit_id, state, count in cursor.fetchall():
            states.setdefault(hit_id, {})[state] = count
    return [
        {
            "id": str(id),
            "token": token,
            "type": type,
            "event": name,
            "user": user_id,
            "anonymous": anonymous_id,
            "hitId": hit_id,
            "at": int(at.replace(tzinfo=UTC).timestamp() * 1000),
            "states": states.get(id, {}),
        }
        for id, token, type, name, user_id, anonymous_id, hit_id, at in rows
    ]
