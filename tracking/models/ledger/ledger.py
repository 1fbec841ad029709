"""The ledger: how many hits each token sent in each hour, and what became of them.

Whatever changes a count adds a row to the tallies, in the statement that makes the change true: no
row is hot, and both are committed or neither. Every now and then the tallies are rolled up into the
ledger, by hour, and into the totals (`totals`). A count is the sum of both, at any
moment exactly.

For a token: accepted = stored + duplicate. For an integration: matched = delivered + skipped +
cancelled + dead + what is still queued. `refused` is a best effort: a process that dies takes the
refusals of its last seconds with it. The hour is that of the hit's id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from django.db import models

from tracking import db

ROLL_UP: LiteralString = """
    WITH gone AS (
        DELETE FROM hitstream_tally WHERE id IN (
            SELECT id FROM hitstream_tally ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING hour, token_id, integration_id, kind, reason, count
    ), summed AS (
        INSERT INTO hitstream_ledger AS ledger
            (hour, token_id, integration_id, kind, reason, count)
        SELECT hour, token_id, integration_id, kind, reason, sum(count) FROM gone
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, token_id, integration_id, kind, reason)
        DO UPDATE SET count = ledger.count + excluded.count
    ), totalled AS (
        INSERT INTO hitstream_lifetimetotal AS total (token_id, integration_id, kind, reason, count)
        SELECT token_id, integration_id, kind, reason, sum(count) FROM gone
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (integration_id, token_id, kind, reason)
        DO UPDATE SET count = total.count + excluded.count
    )
    SELECT count(*) FROM gone
"""
ROLL_UP_CHUNK = 50_000
# One statement, so one snapshot: what is counted and what is still queued add up at any moment.
HOURS: LiteralString = """
    SELECT hour, kind, sum(count)::bigint FROM (
        SELECT hour, kind, count FROM hitstream_ledger
        WHERE {owner} = %(owner)s AND integration_id = %(integration)s AND hour >= %(since)s
        UNION ALL
        SELECT hour, kind, count FROM hitstream_tally
        WHERE {owner} = %(owner)s AND integration_id = %(integration)s AND hour >= %(since)s
        {queued}
    ) AS counted
    GROUP BY 1, 2 ORDER BY 1 DESC
"""
QUEUED: LiteralString = """
        UNION ALL
        SELECT hitstream_hour(hit_id), CASE WHEN attempts > 0 THEN 'retrying' ELSE 'pending' END, 1
        FROM hitstream_queue
        WHERE integration_id = %(integration)s AND hit_id >= %(first)s
"""


class TallyKind(models.TextChoices):
    """What was counted; the last ones of a token's deliveries to one integration."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    MATCHED = "matched"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    DEAD = "dead"


#: What a matched hit may have come to; the last two are not counted but seen.
ENDS = ("delivered", "skipped", "cancelled", "dead", "pending", "retrying")


@dataclass(frozen=True, slots=True)
class LedgerHour:
    """An hour's counts by what was counted; those that are zero may be missing."""

    hour: datetime
    counts: Mapping[str, int]

    def __getitem__(self, kind: str) -> int:
        return self.counts.get(kind, 0)

    @property
    def adds_up(self) -> bool:
        return self["matched"] == sum(self[kind] for kind in ENDS)

    @property
    def stored(self) -> int:
        return self["accepted"] - self["duplicate"]


class TallyColumns(models.Model):
    """So many hits of an hour, a token, and an integration (0 for none). Takings-back count below
    zero."""

    hour = models.DateTimeField()
    token_id = models.BigIntegerField()
    integration_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=TallyKind.choices)
    reason = models.CharField(max_length=100, blank=True, default="")
    count = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.count} {self.kind}"


class Tally(TallyColumns):
    """A change of a count, append-only until it is rolled up."""


class LedgerQuerySet(models.QuerySet["Ledger"]):
    def roll_up(self) -> int:
        """The tallies so far are in the ledger; how many there were."""
        rolled = 0
        while True:
            with db.write_cursor() as cursor:
                cursor.execute(ROLL_UP, [ROLL_UP_CHUNK])
                found: int = cursor.fetchone()[0]
            rolled += found
            if found < ROLL_UP_CHUNK:
                return rolled

    def of_integration(self, integration_id: int, since: datetime) -> list[LedgerHour]:
        """The integration's hours since then, the latest first."""
        return self._hours("integration_id", integration_id, integration_id, since, QUEUED)

    def counted(self, integration_id: int, since: datetime) -> list[LedgerHour]:
        """The same without looking at what is still queued: it costs the same however much is."""
        return self._hours("integration_id", integration_id, integration_id, since)

    def of_token(self, token_id: int, since: datetime) -> list[LedgerHour]:
        """The token's own hours since then, the latest first."""
        return self._hours("token_id", token_id, 0, since)

    def _hours(
        self,
        owner: LiteralString,
        owner_id: int,
        integration_id: int,
        since: datetime,
        queued: LiteralString = "",
    ) -> list[LedgerHour]:
        parameters: dict[str, Any] = {
            "owner": owner_id,
            "integration": integration_id,
            "since": since,
            "first": UUID(int=int(since.timestamp() * 1000) << 80),
        }
        found: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
        with db.read_cursor() as cursor:
            cursor.execute(HOURS.format(owner=owner, queued=queued), parameters)
            for hour, kind, count in cursor.fetchall():
                found[hour][kind] = count
        return [LedgerHour(hour, counts) for hour, counts in found.items()]


class Ledger(TallyColumns):
    """The tallies rolled up: a row for each hour, token, integration, kind and reason."""

    objects = LedgerQuerySet.as_manager()

    class Meta:
        db_table = "hitstream_ledger"
        constraints = (
            models.UniqueConstraint(
                fields=("hour", "token_id", "integration_id", "kind", "reason"),
                name="hitstream_ledger_count",
            ),
        )
        indexes = (
            models.Index(fields=("integration_id", "hour"), name="hitstream_ledger_integration"),
            models.Index(fields=("token_id", "hour"), name="hitstream_ledger_token"),
        )
