"""How often a stored hit was sent again. Counted beside the hits, which are never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models

from tracking import db
from tracking.conf import conf
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: The number of duplicates, and when the last of them arrived.
DuplicateCount = tuple[int, datetime]

#: Rows that one DELETE takes at most.
PRUNE_CHUNK = 10_000
SQL = load(__file__)


class DuplicateQuerySet(models.QuerySet["Duplicate"]):
    def add(self, counts: Mapping[tuple[int, UUID], DuplicateCount]) -> None:
        """Add the counts, by token and digest of the hitId. Keys that are no longer known are left
        out."""
        columns: dict[str, Any] = {
            "tokens": [token_id for token_id, _ in counts],
            "digests": [digest for _, digest in counts],
            "counts": [count for count, _ in counts.values()],
            "moments": [last_at for _, last_at in counts.values()],
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL["add"], columns)

    def prune(self) -> int:
        """Delete the counts that are older than the dedup window. Returns how many."""
        window = first_uuid7(datetime.now(UTC) - timedelta(seconds=conf.DEDUP_WINDOW))
        pruned = 0
        with db.write_cursor() as cursor:
            while True:
                cursor.execute(SQL["prune"], {"window": window, "chunk": PRUNE_CHUNK})
                gone: int = cursor.rowcount
                pruned += gone
                if gone < PRUNE_CHUNK:
                    return pruned


class Duplicate(models.Model):
    """The duplicates of one hit: how many later arrivals had its hitId, and when the last of them
    came.

    A best effort: the count may miss the last seconds of a killed process.
    """

    hit_id = models.UUIDField(primary_key=True)
    token_id = models.BigIntegerField()
    count = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    objects = DuplicateQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.hit_id}: {self.count}"
