"""The queue: deliveries to make, claimed by workers under a lease.

Small rows without a payload, deleted when settled; the results go to the outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.models.deliveries.claim import Claim
from tracking.models.integrations.by_token import rows_of_integrations
from tracking.models.integrations.integration import Integration
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: A delivery that was claimed this often without an outcome is sent alone from then on: one of the
#: hits of its batches seems to kill workers.
SUSPECT_CLAIMS = 2
#: Alone and this often without an outcome: the hit itself kills workers.
FATAL_CLAIMS = 5
MAX_CLAIMS = 32_767
#: Retries that are made due in one statement.
HASTENED = 5_000
#: Seconds for which a delivery is parked behind others unless it is released; and how often a claim
#: that got only parked deliveries looks further before other integrations have their turn.
PARKING = 300.0
PARKING_ROUNDS = 5

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

SQL = load(__file__)


class QueueQuerySet(models.QuerySet["QueuedDelivery"]):
    def claim(
        self,
        integration: Integration,
        *,
        limit: int,
        lease: float,
        bound: datetime = ALWAYS,
        in_order: bool = False,
    ) -> list[Claim]:
        """Claim up to `limit` due deliveries for `lease` seconds, without suspects; with `in_order`
        only the first of each ordering key.

        `bound` is the least `due_at`, so that the scan does not walk over rows that were settled
        long ago.
        """
        statement = "claim_in_order" if in_order else "claim"
        counts = (0, SUSPECT_CLAIMS - 1)
        for _round in range(PARKING_ROUNDS):
            rows = self._claim(statement, integration, counts, limit, lease, bound)
            claims = [row for row, first in rows if first]
            if claims or not rows:
                return claims
        return []

    def waiting_for_retry(self) -> QueueQuerySet:
        """Return the deliveries whose next attempt is not due yet, without claimed ones."""
        return self.filter(attempts__gt=0, claims=0, due_at__gt=Now())

    def hasten(self) -> int:
        """Make deliveries that wait for a retry due now, the oldest HASTENED of them. Returns how
        many. Claimed ones stay."""
        oldest = self.waiting_for_retry().order_by("queued_at").values("pk")[:HASTENED]
        return self.filter(pk__in=oldest).update(due_at=Now())

    def claim_suspect(self, integration: Integration, *, lease: float) -> list[Claim]:
        """Claim one due suspect at most, to be sent alone. Suspects have an index of their own."""
        counts = (SUSPECT_CLAIMS, MAX_CLAIMS)
        return [row for row, _ in self._claim("claim", integration, counts, 1, lease, ALWAYS)]

    def oldest_by_integration(self, integrations: Sequence[int]) -> dict[int, datetime]:
        """Return since when each integration has its oldest queued hit, at the same cost for 10 and
        10 million rows."""
        with db.read_cursor() as cursor:
            rows = rows_of_integrations(
                cursor, SQL, "oldest", integrations, lambda some: {"integrations": some}
            )
            return dict(rows)

    def retrying(
        self, integrations: Sequence[int], *, since: datetime = ALWAYS, limit: int
    ) -> dict[int, int]:
        """Return how many deliveries of hits received since then are retrying, up to the limit: a
        replay's are of earlier hits."""
        bounds: dict[str, Any] = {"first": first_uuid7(since), "since": since, "limit": limit}
        with db.read_cursor() as cursor:
            rows = rows_of_integrations(
                cursor,
                SQL,
                "retrying",
                integrations,
                lambda some: {"integrations": some, **bounds},
            )
            return dict(rows)

    def _claim(
        self,
        statement: str,
        integration: Integration,
        counts: tuple[int, int],
        limit: int,
        lease: float,
        bound: datetime,
    ) -> list[tuple[Claim, bool]]:
        """Return each claim, and whether it is leased or only parked."""
        parameters: dict[str, int | float | datetime] = {
            "token": integration.token_id,
            "integration": integration.pk,
            "least": counts[0],
            "most": counts[1],
            "limit": limit,
            "lease": lease,
            "parking": PARKING,
            "bound": bound,
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL[statement], parameters)
            return [(Claim(integration.pk, *row), ours) for *row, ours in cursor.fetchall()]


class QueuedDelivery(models.Model):
    """A delivery to make. A `due_at` in the future means a wait for a retry, or a worker's lease.

    With deliveries in order, `ordering_key` stands for the user and `seq` for the place in the
    user's order.
    """

    pk = models.CompositePrimaryKey("hit_id", "integration_id", "token_id")
    token_id = models.BigIntegerField()
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
        verbose_name_plural = _("queued deliveries")
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
