"""Whether the rollups are what a plain count of the stored hits says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tracking import db
from tracking.conf import conf
from tracking.models.analytics.rollup_sql import HOUR

# One statement, so one snapshot. What is marked before the watermark is not counted yet.
COMPARE = """
    WITH watermark AS (
        SELECT position FROM hitstream_watermark
    ), plain AS (
        SELECT token_id, date_trunc('hour', occurred_at, 'UTC') AS at, count(*) AS count
        FROM hitstream_hit
        WHERE id <= (SELECT position FROM watermark) AND occurred_at >= %(since)s
          AND NOT EXISTS (SELECT FROM hitstream_latearrival WHERE hit_id = id)
        GROUP BY 1, 2
    ), kept AS (
        SELECT token_id, at, sum(count) AS count FROM hitstream_rollup
        WHERE dimension = %(dimension)s AND at >= %(since)s GROUP BY 1, 2
    )
    SELECT token_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
        coalesce(plain.count, 0), coalesce(kept.count, 0)
    FROM plain FULL JOIN kept USING (token_id, at)
    WHERE plain.count IS DISTINCT FROM kept.count ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class RollupDifference:
    """An hour of a token in which the two do not agree."""

    token_id: int
    hour: str
    stored: int
    counted: int

    def __str__(self) -> str:
        return (
            f"Token {self.token_id}, {self.hour} UTC: {self.stored} stored, {self.counted} counted"
        )


def compare() -> Iterator[RollupDifference]:
    """The hours that differ, as far as hits are kept. It reads every hit. Of a day that is dropped
    the hits that a wrong clock put into a later one stay counted, and differ."""
    since = datetime(1, 1, 1, tzinfo=UTC)
    if conf.HIT_DAYS is not None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=conf.HIT_DAYS)
    with db.write_cursor() as cursor:
        cursor.execute(COMPARE, {"since": since, "dimension": HOUR})
        for row in cursor.fetchall():
            yield RollupDifference(*row)
