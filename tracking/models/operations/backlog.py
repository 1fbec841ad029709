"""The backlog of an integration at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.integrations.integration import Integration
from tracking.models.operations.preview import Preview
from tracking.models.operations.preview import preview as preview_rows
from tracking.models.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Queued hits, since when the oldest is queued, how many of them are retrying, and how many
    dead letters there are."""

    queued: int
    oldest: datetime | None
    retrying: int
    dead: int


def backlog(integration: Integration) -> Backlog:
    queued = QueuedDelivery.objects.filter(integration=integration)
    return Backlog(
        **queued.aggregate(
            queued=Count("*"),
            oldest=Min("queued_at"),
            retrying=Count("hit_id", filter=Q(attempts__gt=0)),
        ),
        dead=DeadLetter.objects.filter(integration=integration).count(),
    )


def preview(integration: Integration) -> Preview:
    """Return a preview of the queued hits: would be sent, is held back, or would be cancelled."""
    return preview_rows(
        QueuedDelivery.objects.filter(integration=integration).order_by("due_at"), integration
    )


def preview_token(token: Token) -> Preview:
    """Return a preview of what would be cancelled for all of the token's integrations."""
    found = [
        preview(integration) for integration in Integration.objects.present().filter(token=token)
    ]
    queueing = [each for each in found if each.oldest and each.newest]
    return Preview(
        count=sum(each.count for each in queueing),
        oldest=min((each.oldest for each in queueing if each.oldest), default=None),
        newest=max((each.newest for each in queueing if each.newest), default=None),
    )
