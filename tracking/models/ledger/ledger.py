"""The ledger: how many hits each token sent in each quarter of an hour, and what became of them.

Each statement that changes a count adds a row to the tallies: no row is hot, and both are committed
or neither. Once a minute the tallies are consolidated into the ledger and into the totals
(`totals`). A count is the sum of both, exact at any moment.

For a token: accepted = stored + duplicate; `noted` counts the stored hits of which something could
not be read, by what. For an integration: matched = delivered + skipped +
cancelled + dead + queued. `refused` is a best effort: a process that dies takes the refusals of its
last seconds with it. The time is that of the hit's id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from django.db import models

from tracking import db
from tracking.sql import OF_TOKEN, load
from tracking.uuid7 import first_uuid7

SQL = load(__file__)
CONSOLIDATE_CHUNK = 50_000


class TallyKind(models.TextChoices):
    """What is counted. From `matched` on: a token's deliveries to one integration."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    NOTED = "noted"
    MATCHED = "matched"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    DEAD = "dead"


#: The possible fates of a matched hit; the last two are not counted but read from the queue.
ENDS = ("delivered", "skipped", "cancelled", "dead", "pending", "retrying")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The counts by kind of the time from `at` on; zero counts may be missing."""

    at: datetime
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
    """A count for a quarter of an hour, named by its beginning, a token, and an integration (0 for
    none). A correction is negative."""

    quarter_hour = models.DateTimeField()
    token_id = models.BigIntegerField()
    integration_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=TallyKind.choices)
    reason = models.CharField(max_length=100, blank=True, default="")
    count = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.quarter_hour:%Y-%m-%d %H:%M}: {self.count} {self.kind}"


class Tally(TallyColumns):
    """A change of a count, append-only until it is consolidated."""


def _consolidate(statement: LiteralString, parameters: Mapping[str, int]) -> int:
    moved = 0
    while True:
        with db.write_cursor() as cursor:
            cursor.execute(statement, {**parameters, "chunk": CONSOLIDATE_CHUNK})
            found: int = cursor.fetchone()[0]
        moved += found
        if found < CONSOLIDATE_CHUNK:
            return moved


class LedgerQuerySet(models.QuerySet["Ledger"]):
    def consolidate(self) -> int:
        """Move the tallies into the ledger and the totals. Returns how many rows were moved."""
        if not db.is_distributed():
            return _consolidate(SQL["consolidate"], {})
        tokens = self._tallied_tokens()
        statement = SQL["consolidate" + OF_TOKEN]
        return sum(_consolidate(statement, {"token": token}) for token in tokens)

    def _tallied_tokens(self) -> list[int]:
        return list(Tally.objects.values_list("token_id", flat=True).distinct())

    def of_integration(self, integration_id: int, since: datetime) -> list[LedgerRow]:
        """Return the integration's quarter-hours since then, the latest first, with what is
        queued."""
        return self._rows("integration_counts", integration_id, since)

    def settled(self, integration_id: int, since: datetime) -> list[LedgerRow]:
        """Return the same without what is queued: the cost is independent of the queue's size."""
        return self._rows("settled_integration_counts", integration_id, since)

    def of_token(self, token_id: int, since: datetime) -> list[LedgerRow]:
        """Return the token's own quarter-hours since then, the latest first."""
        return self._rows("token_counts", token_id, since)

    def _rows(self, statement: str, owner_id: int, since: datetime) -> list[LedgerRow]:
        parameters: dict[str, Any] = {
            "owner": owner_id,
            "since": since,
            "first": first_uuid7(since),
        }
        found: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
        with db.read_cursor() as cursor:
            cursor.execute(SQL[statement], parameters)
            for at, kind, count in cursor.fetchall():
                found[at][kind] = count
        return [LedgerRow(at, counts) for at, counts in found.items()]


class Ledger(TallyColumns):
    """The consolidated tallies: a row for each quarter, token, integration, kind and reason."""

    objects = LedgerQuerySet.as_manager()

    class Meta:
        db_table = "hitstream_ledger"
        constraints = (
            models.UniqueConstraint(
                fields=("quarter_hour", "token_id", "integration_id", "kind", "reason"),
                name="hitstream_ledger_count",
            ),
        )
        indexes = (
            models.Index(
                fields=("integration_id", "quarter_hour"), name="hitstream_ledger_integration"
            ),
            models.Index(fields=("token_id", "quarter_hour"), name="hitstream_ledger_token"),
        )
