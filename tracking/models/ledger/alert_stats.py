"""What the last hours say of tokens and integrations: looked up for each, however much there is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from tracking import db
from tracking.uuid7 import first_uuid7

ENDED: LiteralString = """
    SELECT integration_id, kind, sum(count)::bigint FROM (
        SELECT found.integration_id, found.kind, found.count
        FROM unnest(%(integrations)s::bigint[]) AS integration (id) CROSS JOIN LATERAL (
            SELECT integration_id, kind, count FROM hitstream_ledger
            WHERE integration_id = integration.id AND hour >= %(since)s
        ) AS found
        UNION ALL
        SELECT integration_id, kind, count FROM hitstream_tally
        WHERE integration_id = ANY(%(integrations)s) AND hour >= %(since)s
    ) AS counted
    GROUP BY 1, 2
"""
# The tallies are of the last minutes; these hours are at least a day old.
REGULAR: LiteralString = """
    SELECT token.id, count(DISTINCT date_trunc('day', found.hour, 'UTC'))
    FROM unnest(%s::bigint[]) AS token (id) JOIN LATERAL (
        SELECT hour FROM hitstream_ledger
        WHERE token_id = token.id AND hour = ANY(%s)
          AND integration_id = 0 AND kind = 'accepted' AND count > 0
    ) AS found ON true
    GROUP BY 1
"""
SENDING: LiteralString = """
    SELECT token.id FROM unnest(%s::bigint[]) AS token (id) CROSS JOIN LATERAL (
        SELECT FROM hitstream_hit WHERE token_id = token.id AND id >= %s ORDER BY id LIMIT 1
    ) AS hit
"""


def count_by_result(integrations: Sequence[int], since: datetime) -> Mapping[int, Counter[str]]:
    """What was counted of each integration in the hours since then, by what was counted."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    with db.read_cursor() as cursor:
        cursor.execute(ENDED, {"integrations": list(integrations), "since": since})
        for integration_id, kind, count in cursor.fetchall():
            found[integration_id][kind] += count
    return found


def regular_senders(tokens: Sequence[int], hours: Sequence[datetime]) -> dict[int, int]:
    """On how many different days (of UTC) each token sent hits in one of these hours."""
    with db.read_cursor() as cursor:
        cursor.execute(REGULAR, [list(tokens), list(hours)])
        return dict(cursor.fetchall())


def tokens_with_hits_since(tokens: Sequence[int], since: datetime) -> frozenset[int]:
    """Those that a new hit of is stored since then. Only the leaves of that time are looked at."""
    with db.read_cursor() as cursor:
        cursor.execute(SENDING, [list(tokens), first_uuid7(since)])
        return frozenset(token_id for (token_id,) in cursor.fetchall())
