"""Counts of the last hours for alert rules, looked up for each token or integration."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from tracking import db
from tracking.sql import load
from tracking.uuid7 import first_uuid7

SQL = load(__file__)


def count_by_result(integrations: Sequence[int], since: datetime) -> Mapping[int, Counter[str]]:
    """Return what was counted for each integration in the hours since then, by kind."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    with db.read_cursor() as cursor:
        cursor.execute(SQL["results"], {"integrations": list(integrations), "since": since})
        for integration_id, kind, count in cursor.fetchall():
            found[integration_id][kind] += count
    return found


def regular_senders(tokens: Sequence[int], hours: Sequence[datetime]) -> dict[int, int]:
    """Return on how many days (of UTC) each token sent hits in one of these hours."""
    with db.read_cursor() as cursor:
        cursor.execute(SQL["regular_senders"], {"tokens": list(tokens), "hours": list(hours)})
        return dict(cursor.fetchall())


def tokens_with_hits_since(tokens: Sequence[int], since: datetime) -> frozenset[int]:
    """Return the ids of the tokens that have stored a hit since then. Only the partitions of that
    time are read."""
    with db.read_cursor() as cursor:
        cursor.execute(
            SQL["tokens_with_hits_since"],
            {"tokens": list(tokens), "first": first_uuid7(since)},
        )
        return frozenset(token_id for (token_id,) in cursor.fetchall())
