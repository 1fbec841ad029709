"""The queue: deliveries that are queued, claimed by workers under a lease.

Small rows without a payload, deleted when settled; what happened goes to the outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now

from tracking import db
from tracking.models.deliveries.claim import Claim
from tracking.models.integrations.integration import Integration
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: A delivery claimed this often without an outcome is sent alone from then on, since one of the
#: hits that it was claimed with seems to kill workers.
SUSPECT_CLAIMS = 2
#: Alone this often without an outcome: the hit itself kills workers.
FATAL_CLAIMS = 5
MAX_CLAIMS = 32_767
#: How long a delivery is parked behind others, in seconds, unless it is released; and how often a
#: claim that found nothing but such ones looks further before others have their turn.
PARKING = 300.0
PARKING_ROUNDS = 5

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

SQL = load(__file__)


class QueueQuerySet(models.QuerySet["QueuedDelivery"]):
    def claim(
        self,
        integration_id: int,
        *,
        limit: int,
        lease: float,
        bound: datetime = ALWAYS,
        in_order: bool = False,
    ) -> list[Claim]:
        """Up to `limit` due deliveries are nobody else's for `lease` seconds; no suspects. With
        `in_order` only the first of each ordering_key.

        `bound` bounds due_at from below, so that the scan does not walk through what was settled
        long ago.
        """
        statement = "claim_in_order" if in_order else "claim"
        counts = (0, SUSPECT_CLAIMS - 1)
        for _ in range(PARKING_ROUNDS):
            rows = self._claim(statement, integration_id, counts, limit, lease, bound)
            claims = [row for row, first in rows if first]
            if claims or not rows:
                return claims
        return []

    def hasten(self) -> int:
        """What waits for its next try is due now; how many. What a worker has claimed is left."""
        waiting = self.filter(attempts__gt=0, claims=0, due_at__gt=Now())
        return waiting.update(due_at=Now())

    def claim_suspect(self, integration_id: int, *, lease: float) -> list[Claim]:
        """One due suspect at the most, to be sent alone. They have an index of their own."""
        counts = (SUSPECT_CLAIMS, MAX_CLAIMS)
        return [row for row, _ in self._claim("claim", integration_id, counts, 1, lease, ALWAYS)]

    def oldest_by_integration(self, integrations: Sequence[int]) -> dict[int, datetime]:
        """Return since when each has its oldest queued hit, whether 10 or 10 million are queued."""
        with db.read_cursor() as cursor:
            cursor.execute(SQL["oldest"], {"integrations": list(integrations)})
            return dict(cursor.fetchall())

    def retrying(
        self, integrations: Sequence[int], *, since: datetime = ALWAYS, limit: int
    ) -> dict[int, int]:
        """How many of each, of hits received since then, were tried in vain, counted up to the
        limit: a replay's are of earlier hits."""
        with db.read_cursor() as cursor:
            parameters: dict[str, Any] = {
                "integrations": list(integrations),
                "first": first_uuid7(since),
                "since": since,
                "limit": limit,
            }
            cursor.execute(SQL["retrying"], parameters)
            return dict(cursor.fetchall())

    def _claim(
        self,
        statement: str,
        integration_id: int,
        counts: tuple[int, int],
        limit: int,
        lease: float,
        bound: datetime,
    ) -> list[tuple[Claim, bool]]:
        """Each claim, and whether it is ours or was only parked."""
        parameters: dict[str, int | float | datetime] = {
            "integration": integration_id,
            "least": counts[0],
            "most": counts[1],
            "limit": limit,
            "lease": lease,
            "parking": PARKING,
            "bound": bound,
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL[statement], parameters)
            return [(Claim(integration_id, *row), ours) for *row, ours in cursor.fetchall()]


class QueuedDelivery(models.Model):
    """A delivery to be made. `due_at` in the future: retrying, or leased to a worker.

    In each user's order, `ordering_key` is the user's and `seq` the place in it.
    """

    pk = models.CompositePrimaryKey("hit_id", "integration_id")
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    hit_id = models.UUIDField()
    due_at = models.DateTimeField()
    queued_at = models.DateTimeField(db_default=Now())
    ordering_key = models.BigIntegerField(null=True)
    seq = models.BigIntegerField(
        db_default=Func(Value("hitstream_queue_seq"), function="nextval"), editable=False
    )
    claims = models.SmallIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)

    objects = QueueQuerySet.as_manager()

    class Meta:
        db_table = "hitstream_queue"
        verbose_name_plural = "queued deliveries"
        indexes = (
            models.Index(fields=("integration", "due_at"), name="hitstream_queue_due"),
            models.Index(
                fields=("integration", "due_at"),
                name="hitstream_queue_suspect",
                condition=models.Q(claims__gte=SUSPECT_CLAIMS),
            ),
            models.Index(
                fields=("integration", "queued_at"),
                name="hitstream_queue_retrying",
                condition=models.Q(attempts__gt=0),
            ),
            models.Index(
                fields=("integration", "ordering_key", "seq"),
                name="hitstream_queue_ordering",
                condition=models.Q(ordering_key__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}"
