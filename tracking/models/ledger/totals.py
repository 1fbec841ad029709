"""The ledger's lifetime totals: everything counted for each token and integration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from tracking import db
from tracking.models.ledger.ledger import TallyKind
from tracking.sql import load

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Balance:
    """The lifetime counts of an integration's deliveries, by kind."""

    counts: Mapping[str, int]

    def __getitem__(self, kind: str) -> int:
        return self.counts.get(kind, 0)

    @property
    def queued(self) -> int:
        """The deliveries that are still queued."""
        ended = ("delivered", "skipped", "cancelled", "dead")
        return self["matched"] - sum(self[kind] for kind in ended)


class LifetimeTotalQuerySet(models.QuerySet["LifetimeTotal"]):
    def balances(self) -> Mapping[int, Balance]:
        """Return the balance of each integration that ever matched a hit, by id, from counts alone:
        the cost is independent of the queue's size."""
        found: defaultdict[int, dict[str, int]] = defaultdict(dict)
        with db.read_cursor() as cursor:
            cursor.execute(SQL["by_integration"])
            for integration_id, kind, count in cursor.fetchall():
                found[integration_id][kind] = count
        return {integration_id: Balance(counts) for integration_id, counts in found.items()}


class LifetimeTotal(models.Model):
    """The ledger without its hours. `integration_id` is 0 for a token's own counts."""

    token_id = models.BigIntegerField()
    integration_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=TallyKind.choices)
    reason = models.CharField(max_length=100, blank=True, default="")
    count = models.BigIntegerField()

    objects = LifetimeTotalQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("integration_id", "token_id", "kind", "reason"),
                name="hitstream_lifetimetotal_count",
            ),
        )

    def __str__(self) -> str:
        return f"{self.token_id}, {self.integration_id}: {self.count} {self.kind}"
