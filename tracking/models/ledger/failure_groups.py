"""The recent failures of an integration's requests, grouped by cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections

from tracking import db
from tracking.models.deliveries.attempt import Attempt
from tracking.models.integrations.integration import Integration
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: Attempts to read, and how far back, at most.
LATEST, DAYS = 1000, 7
#: Reasons to return at most, the most frequent ones; and causes, the latest ones: each has a sample
#: with whole bodies.
REASONS, CAUSES = 20, 20

SQL = load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Requests that failed in the same way, and their hits; `sample` is the last of them."""

    code: str
    status: int | None
    requests: int
    hits: int
    first_at: datetime
    last_at: datetime
    sample: Attempt


def failure_groups(integration: Integration) -> list[FailureGroup]:
    """Return the causes of its latest failed attempts, the latest first."""
    since = first_uuid7(datetime.now(UTC) - timedelta(days=DAYS))
    parameters: dict[str, Any] = {"integration": integration.pk, "since": since, "limit": LATEST}
    parameters["causes"] = CAUSES
    alias = db.read_alias()
    with connections[alias].cursor() as cursor:
        cursor.execute(SQL["failures"], parameters)
        found = cursor.fetchall()
    samples = Attempt.objects.using(alias).in_bulk([row[-1] for row in found])
    return [
        FailureGroup(
            code=code,
            status=status,
            requests=requests,
            hits=hits,
            first_at=first_at,
            last_at=last_at,
            sample=samples[sample],
        )
        for code, status, requests, hits, first_at, last_at, sample in found
        if sample in samples
    ]


def reasons(integration: Integration) -> Mapping[str, list[tuple[str, int]]]:
    """Return why its hits became dead letters or were skipped since the beginning, with their
    numbers, the most frequent first."""
    found: dict[str, list[tuple[str, int]]] = {"dead": [], "skipped": []}
    with db.read_cursor() as cursor:
        cursor.execute(SQL["reasons"], {"integration": integration.pk})
        for kind, reason, count in cursor.fetchall():
            if len(found[kind]) < REASONS:
                found[kind].append((reason, count))
    return found
