"""How long hits are owed, and how many were tried in vain: what `OwedQuerySet` asks by its indexes.

Each statement is bounded for each integration, however many rows are owed to it.
"""

from __future__ import annotations

from typing import LiteralString

# Those that were tried have an index by when they were owed. The others are due in the order in
# which they were owed, but for what a replay or a release has put before them: so the first hundred
# are looked at.
OLDEST: LiteralString = """
    SELECT integration.id, least(tried.owed_at, waiting.owed_at)
    FROM unnest(%s::bigint[]) AS integration (id)
    LEFT JOIN LATERAL (
        SELECT owed_at FROM tracking_owed
        WHERE integration_id = integration.id AND attempts > 0 ORDER BY owed_at LIMIT 1
    ) AS tried ON true
    LEFT JOIN LATERAL (
        SELECT min(owed_at) AS owed_at FROM (
            SELECT owed_at FROM tracking_owed
            WHERE integration_id = integration.id ORDER BY due_at LIMIT 100
        ) AS first
    ) AS waiting ON true
    WHERE least(tried.owed_at, waiting.owed_at) IS NOT NULL
"""
# In the index's order: else the planner, taken in by the limit, reads the whole table for each
# integration that has none.
RETRYING: LiteralString = """
    SELECT integration.id, counted.count
    FROM unnest(%s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE hit_id >= %s) AS count FROM (
            SELECT hit_id FROM tracking_owed
            WHERE integration_id = integration.id AND attempts > 0 AND owed_at >= %s
            ORDER BY owed_at LIMIT %s
        ) AS found
    ) AS counted
"""
