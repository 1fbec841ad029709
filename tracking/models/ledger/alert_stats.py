"""Counts of the last minutes and hours for alert rules, looked up for each token or integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tracking import db
from tracking.models.integrations.by_token import rows_of_integrations, rows_of_tokens
from tracking.sql import load
from tracking.uuid7 import QUARTER, first_uuid7

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """Hits that requests tried to deliver; a hit that was tried twice counts twice."""

    tried: int = 0
    failed: int = 0

    @property
    def delivered(self) -> int:
        return self.tried - self.failed


def count_attempts(
    integrations: Sequence[int], since: datetime, *, limit: int
) -> Mapping[int, AttemptCounts]:
    """Return what each integration's requests since then tried and failed to deliver, of the latest
    `limit` requests. A refused batch counts with its halves."""
    bounds = {"first": first_uuid7(since), "limit": limit}
    with db.read_cursor() as cursor:
        rows = rows_of_integrations(
            cursor, SQL, "attempts", integrations, lambda some: {"integrations": some, **bounds}
        )
        return {integration: AttemptCounts(*counts) for integration, *counts in rows}


def regular_senders(tokens: Sequence[int], hours: Sequence[datetime]) -> dict[int, int]:
    """Return on how many days (of UTC) each token sent hits in one of these hours."""
    with db.read_cursor() as cursor:
        quarters = [hour + number * QUARTER for hour in hours for number in range(4)]
        return dict(rows_of_tokens(cursor, SQL, "regular_senders", tokens, {"quarters": quarters}))


def tokens_with_hits_since(tokens: Sequence[int], since: datetime) -> frozenset[int]:
    """Return the ids of the tokens that have stored a hit since then. Only the partitions of that
    time are read."""
    with db.read_cursor() as cursor:
        rows = rows_of_tokens(
            cursor, SQL, "tokens_with_hits_since", tokens, {"first": first_uuid7(since)}
        )
        return frozenset(token_id for (token_id,) in rows)
