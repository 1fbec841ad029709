"""The delivery of a hit to an integration, in whatever state: a view to read from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from tracking.models.deliveries.outcome import DeliveryResult
from tracking.models.integrations.integration import Integration


class DeliveryManager(models.Manager["Delivery"]):
    def get_queryset(self) -> models.QuerySet[Delivery]:
        """Return the deliveries without their past: attempts that settled nothing, or that a replay
        has undone."""
        return (
            super()
            .get_queryset()
            .exclude(state__in=[DeliveryResult.FAILED, DeliveryResult.DEAD_LETTER])
        )


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RETRYING = "retrying", _("Retrying")
    DELIVERED = "delivered", _("Delivered")
    DEAD = "dead", _("Dead letter")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


class Delivery(models.Model):
    """A view over the queue, the dead letters and the outcomes: every delivery in its present
    state."""

    # Django requires a key, and a view has none. This one keeps the index's order in pages.
    hit_id = models.UUIDField(_("hit id"), primary_key=True)
    integration = models.ForeignKey(
        Integration,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="deliveries",
        verbose_name=_("integration"),
    )
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices)
    since = models.DateTimeField(_("since / due"), null=True)
    reason = models.TextField(_("reason"))

    objects = DeliveryManager()

    class Meta:
        managed = False
        db_table = "hitstream_delivery"
        ordering = ("-hit_id",)
        verbose_name_plural = _("deliveries")
        verbose_name = _("delivery")

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.state}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("Delivery is a view: change QueuedDelivery or DeadLetter instead.")

    @property
    def held_back(self) -> str:
        """Return why a queued delivery is not sent; empty if nothing is in the way."""
        if self.state not in (DeliveryState.QUEUED, DeliveryState.RETRYING):
            return ""
        if self.integration.deleted_at:
            return str(_("The integration is deleted: this will be cancelled."))
        if not (self.integration.enabled or self.integration.draining):
            return str(_("The integration is disabled."))
        return (
            _("The integration is paused: %(reason)s") % {"reason": self.integration.paused_reason}
            if self.integration.paused_at
            else ""
        )

    @property
    def trouble(self) -> str:
        """Return why a queued delivery may fail; empty if its integration is not failing."""
        is_sent = self.state in (DeliveryState.QUEUED, DeliveryState.RETRYING)
        if not is_sent or self.held_back or not self.integration.is_failing:
            return ""
        return _("The integration is failing: %(text)s") % {"text": self.integration.failure_shown}

    @property
    def colour(self) -> str:
        """The state's severity, in a word for which pages have a colour."""
        return COLOURS[DeliveryState(self.state)]


COLOURS = {
    DeliveryState.QUEUED: "off",
    DeliveryState.RETRYING: "paused",
    DeliveryState.DELIVERED: "good",
    DeliveryState.DEAD: "bad",
    DeliveryState.SKIPPED: "off",
    DeliveryState.CANCELLED: "off",
}
#: States that another may follow, the most telling first.
OPEN = (DeliveryState.QUEUED, DeliveryState.RETRYING, DeliveryState.DEAD)


def present(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return one delivery for each hit and integration, in its present state: a delivery that was
    sent twice, or is queued once more, has several rows."""
    found = {(each.hit_id, each.integration_id): each for each in sorted(deliveries, key=_rank)}
    return sorted(found.values(), key=lambda each: each.integration.name)


def _rank(delivery: Delivery) -> tuple[int, float]:
    """Return a sort key: the last in this order is the present state."""
    state, since = DeliveryState(delivery.state), delivery.since
    place = OPEN.index(state) if state in OPEN else len(OPEN)
    return -place, since.timestamp() if since else 0.0
