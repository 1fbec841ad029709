"""The outcomes of deliveries, attempt by attempt."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models.integrations.integration import Integration


class DeliveryResult(models.TextChoices):
    """The result of an attempt, or what ended a delivery without one. All but `failed` and
    `dead_letter` are also the final state of a delivery."""

    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed, will retry")
    DEAD_LETTER = "dead_letter", _("Dead letter")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


class Outcome(models.Model):
    """The result of one attempt for one hit. Append-only, partitioned by day on the hit's id.

    `waited` is the time in seconds from queueing, on arrival or by a replay or backfill, to the end
    of the delivery; null if it goes on.
    """

    pk = models.CompositePrimaryKey("hit_id", "integration_id", "attempt_id", "token_id")
    token_id = models.BigIntegerField()
    hit_id = models.UUIDField()
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    attempt_id = models.UUIDField()
    result = models.CharField(max_length=20, choices=DeliveryResult.choices)
    reason = models.TextField(blank=True)
    settled_at = models.DateTimeField(default=timezone.now)
    waited = models.FloatField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("integration", "hit_id"), name="hitstream_outcome_integration"),
            # Few rows: it shows at once that no outcome has a state of the other tables.
            models.Index(
                fields=("hit_id",),
                name="hitstream_outcome_failed",
                condition=~models.Q(result=DeliveryResult.DELIVERED),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.result}"
