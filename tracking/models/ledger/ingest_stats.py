"""Ingest statistics: hits by token over a range, by quarter-hour, and at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking import db
from tracking.sql import load
from tracking.uuid7 import first_uuid7, moment_of

#: Newest hits that the present rate is computed from at most.
SAMPLE = 20_000
#: Seconds over which the present rate is counted.
MINUTE = 60.0

SQL = load(__file__)


@dataclass(slots=True)
class IngestCounts:
    """Of a token: accepted hits, duplicates among them, refused hits by code, and stored hits of
    which something could not be read, by what."""

    accepted: int = 0
    duplicate: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        return sum(self.reasons.values())

    @property
    def stored(self) -> int:
        return self.accepted - self.duplicate

    def add(self, kind: str, reason: str, count: int) -> None:
        counted = {"refused": self.reasons, "noted": self.notes}.get(kind)
        if counted is not None:
            counted[reason] = counted.get(reason, 0) + count
        else:
            setattr(self, kind, getattr(self, kind) + count)


@dataclass(frozen=True, slots=True)
class IngestVolume:
    """What arrived since a moment: by token, 0 for senders without a valid token, and by
    quarter of an hour, the earliest first."""

    tokens: Mapping[int, IngestCounts]
    quarters: Mapping[datetime, Mapping[str, int]]

    @property
    def total(self) -> IngestCounts:
        total = IngestCounts()
        for counts in self.tokens.values():
            total.accepted += counts.accepted
            total.duplicate += counts.duplicate
            for reason, count in counts.reasons.items():
                total.add("refused", reason, count)
            for note, count in counts.notes.items():
                total.add("noted", note, count)
        return total


def ingest_volume(since: datetime, token_ids: Iterable[int] | None = None) -> IngestVolume:
    """Return the volume of these tokens; None: of all tokens and of senders without one."""
    tokens: defaultdict[int, IngestCounts] = defaultdict(IngestCounts)
    quarters: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
    parameters: dict[str, Any] = {
        "since": since,
        "tokens": None if token_ids is None else sorted(token_ids),
    }
    with db.read_cursor() as cursor:
        cursor.execute(SQL["counts"], parameters)
        for at, token_id, kind, reason, count in cursor.fetchall():
            if at is None:
                tokens[token_id].add(kind, reason, count)
            else:
                quarters[at][kind] = count
    return IngestVolume(tokens, dict(sorted(quarters.items())))


def stored_between(since: datetime, until: datetime, token_ids: Iterable[int] | None = None) -> int:
    """Return how many hits of these tokens, None for all, were stored between the moments."""
    parameters: dict[str, Any] = {
        "since": since,
        "until": until,
        "tokens": None if token_ids is None else sorted(token_ids),
    }
    with db.read_cursor() as cursor:
        cursor.execute(SQL["stored"], parameters)
        count: int = cursor.fetchone()[0]
    return count


def hit_rates(without: Iterable[int] = ()) -> Mapping[int, float]:
    """Return the hits/min of each token now, except those in `without`: those of the last minute,
    or of as much of it as the newest hits cover."""
    now = datetime.now(UTC)
    parameters: dict[str, Any] = {
        "since": first_uuid7(now - timedelta(seconds=MINUTE)),
        "limit": SAMPLE,
        "without": list(without),
    }
    with db.read_cursor() as cursor:
        cursor.execute(SQL["newest"], parameters)
        found = cursor.fetchall()
    if not found:
        return {}
    seconds = MINUTE
    if sum(count for _, count, _ in found) == SAMPLE:
        oldest = moment_of(min(first for _, _, first in found))
        seconds = max(0.001, (now - oldest).total_seconds())
    return {token_id: count * 60 / seconds for token_id, count, _ in found}
