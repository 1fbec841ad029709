"""How long hits are queued, and how many are retrying: bounded by the indexes of the queue.

Each statement is bounded for each integration, however many rows are queued to it.
"""

from __future__ import annotations

from typing import LiteralString

# Those that were tried have an index by when they were queued. The others are due in the order in
# which they were queued, but for what a replay or a release has put before them: so the first 100
# are looked at.
OLDEST: LiteralString = """
    SELECT integration.id, least(tried.queued_at, waiting.queued_at)
    FROM unnest(%s::bigint[]) AS integration (id)
    LEFT JOIN LATERAL (
        SELECT queued_at FROM hitstream_queue
        WHERE integration_id = integration.id AND attempts > 0 ORDER BY queued_at LIMIT 1
    ) AS tried ON true
    LEFT JOIN LATERAL (
        SELECT min(queued_at) AS queued_at FROM (
            SELECT queued_at FROM hitstream_queue
            WHERE integration_id = integration.id ORDER BY due_at LIMIT 100
        ) AS first
    ) AS waiting ON true
    WHERE least(tried.queued_at, waiting.queued_at) IS NOT NULL
"""
# In the index's order: else the planner, taken in by the limit, reads the whole table for each
# integration that has none.
RETRYING: LiteralString = """
    SELECT integration.id, counted.count
    FROM unnest(%s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE hit_id >= %s) AS count FROM (
            SELECT hit_id FROM hitstream_queue
            WHERE integration_id = integration.id AND attempts > 0 AND queued_at >= %s
            ORDER BY queued_at LIMIT %s
        ) AS found
    ) AS counted
"""
