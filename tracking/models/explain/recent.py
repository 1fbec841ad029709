"""The latest hits, and the states of their deliveries."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from tracking import db
from tracking.events import TEST_EVENT, TEST_USER
from tracking.sql import load

#: The number of hits, however many are stored.
RECENT = 500

SQL = load(__file__)


def recent_hits(limit: int = RECENT) -> list[dict[str, Any]]:
    """Return the latest hits first, each ready for JSON: its ids, event and user, `at` in
    milliseconds since 1970, `states` with the number of deliveries in each state, `routes` with the
    name of each integration and the state of its delivery, and whether *Send a test event* made
    it. Runs three statements, all on an index."""
    with db.read_cursor() as cursor:
        cursor.execute(SQL["hits"], {"limit": limit})
        rows = cursor.fetchall()
        if not rows:
            return []
        ids = [row[0] for row in rows]
        cursor.execute(SQL["states"], {"ids": ids, "first": min(ids), "last": max(ids)})
        found = cursor.fetchall()
        names = integration_names(cursor, {row[1] for row in found})
    states: dict[Any, dict[str, int]] = {}
    routes: dict[Any, list[tuple[str, str]]] = {}
    for hit_id, integration, state, count in found:
        counts = states.setdefault(hit_id, {})
        counts[state] = counts.get(state, 0) + count
        routes.setdefault(hit_id, []).append((names.get(integration, ""), state))
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
            "routes": routes.get(id, []),
            "test": (name, anonymous_id) == (TEST_EVENT, TEST_USER),
        }
        for id, token, type, name, user_id, anonymous_id, hit_id, at in rows
    ]


def integration_names(cursor: Any, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    cursor.execute(SQL["integrations"], {"ids": list(ids)})
    return dict(cursor.fetchall())
