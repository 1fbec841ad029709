"""The backlog of an integration at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from tracking.models.deliveries.conditions import Conditions
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.queue import HASTENED, QueuedDelivery, QueueQuerySet
from tracking.models.integrations.integration import Integration
from tracking.models.operations.preview import Preview
from tracking.models.operations.preview import preview as preview_rows
from tracking.models.tokens.token import Token
from tracking.uuid7 import first_uuid7


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


def retries(integration: Integration, criteria: Criteria) -> QueueQuerySet:
    """Return the integration's deliveries that wait for a retry and match the criteria."""
    waiting = QueuedDelivery.objects.waiting_for_retry().filter(integration=integration)
    if criteria.received_since:
        waiting = waiting.filter(hit_id__gte=first_uuid7(criteria.received_since))
    if criteria.received_until:
        waiting = waiting.filter(hit_id__lt=first_uuid7(criteria.received_until))
    return waiting.filter(Conditions.of(criteria).of_row())


def preview_retries(integration: Integration, criteria: Criteria) -> Preview:
    return preview_rows(retries(integration, criteria).order_by("queued_at"), integration)


def retry_now(integration: Integration, criteria: Criteria) -> int:
    """Make the matching retries due now. Returns how many."""
    done, part = 0, HASTENED
    while part == HASTENED:
        part = retries(integration, criteria).hasten()
        done += part
    return done


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
