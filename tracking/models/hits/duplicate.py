"""How often a stored hit was sent again, counted beside the hits: those are never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from django.db import models

from tracking import db
from tracking.conf import conf
from tracking.uuid7 import first_uuid7

#: How often, and when last.
DuplicateCount = tuple[int, datetime]

#: Rows that one DELETE takes at the most.
PRUNE_CHUNK = 10_000
# In the order of the hits: two writers that take the same rows in another one would deadlock.
ADD: LiteralString = """
    INSERT INTO hitstream_duplicate AS known (hit_id, count, last_at)
    SELECT seen.hit_id, noted.count, noted.last_at
    FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::timestamptz[])
        AS noted (token_id, digest, count, last_at)
    JOIN hitstream_hitkey AS seen USING (token_id, digest)
    ORDER BY seen.hit_id
    ON CONFLICT (hit_id) DO UPDATE SET count = known.count + excluded.count,
        last_at = greatest(known.last_at, excluded.last_at)
"""
PRUNE: LiteralString = """
    DELETE FROM hitstream_duplicate WHERE hit_id IN (
        SELECT hit_id FROM hitstream_duplicate WHERE hit_id < %s ORDER BY hit_id LIMIT %s
    )
"""


class DuplicateQuerySet(models.QuerySet["Duplicate"]):
    def add(self, counts: Mapping[tuple[int, UUID], DuplicateCount]) -> None:
        """These are counted, by token and digest of the hitId; what is no longer known is not."""
        columns = (
            [token_id for token_id, _ in counts],
            [digest for _, digest in counts],
            [count for count, _ in counts.values()],
            [last_at for _, last_at in counts.values()],
        )
        with db.write_cursor() as cursor:
            cursor.execute(ADD, columns)

    def prune(self) -> int:
        """None older than the dedup window is left: what comes now repeats them no more. How many
        were."""
        window = first_uuid7(datetime.now(UTC) - timedelta(seconds=conf.DEDUP_WINDOW))
        pruned = 0
        with db.write_cursor() as cursor:
            while True:
                cursor.execute(PRUNE, [window, PRUNE_CHUNK])
                gone: int = cursor.rowcount
                pruned += gone
                if gone < PRUNE_CHUNK:
                    return pruned


class Duplicate(models.Model):
    """Of one hit: how many arrivals after it had its hitId, and when the last of them came.

    A best effort: an arrival of a process' last seconds may be missing.
    """

    hit_id = models.UUIDField(primary_key=True)
    count = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    objects = DuplicateQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.hit_id}: {self.count}"
