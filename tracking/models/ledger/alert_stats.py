"""What the last hours say of tokens and integrations: looked up for each, however much there is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from tracking import db
from tracking.sql import load
from tracking.uuid7 import first_uuid7

SQL = load(__file__)


def count_by_result(integrations: Sequence[int], since: datetime) -> Mapping[int, Counter[str]]:
    """What was counted of each integration in the hours since then, by what was counted."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    with db.read_cursor() as cursor:
        cursor.execute(SQL["results"], {"integrations": list(integrations), "since": since})
        for integration_id, kind, count in cursor.fetchall():
            found[integration_id][kind] += count
    return found


def regular_senders(tokens: Sequence[int], hours: Sequence[datetime]) -> dict[int, int]:
    """On how many different days (of UTC) each token sent hits in one of these hours."""
    with db.read_cursor() as cursor:
        cursor.execute(SQL["regular_senders"], {"tokens": list(tokens), "hours": list(hours)})
        return dict(cursor.fetchall())


def tokens_with_hits_since(tokens: Sequence[int], since: datetime) -> frozenset[int]:
    """Those that a new hit of is stored since then. Only the leaves of that time are looked at."""
    with db.read_cursor() as cursor:
        cursor.execute(
            SQL["tokens_with_hits_since"],
            {"tokens": list(tokens), "first": first_uuid7(since)},
        )
        return frozenset(token_id for (token_id,) in cursor.fetchall())
