"""Links from an operation to its deliveries in the log, by their present state."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from tracking.models import Operation
from tracking.models.deliveries.delivery import DeliveryState
from tracking.models.operations.backfill import Backfill

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: What may have become of the deliveries, and the filter of the log.
STATES: tuple[tuple[StrOrPromise, str], ...] = (
    (_("All deliveries"), ""),
    (_("Delivered"), DeliveryState.DELIVERED),
    (_("Dead"), DeliveryState.DEAD),
    (_("Queued"), DeliveryState.QUEUED),
    (_("Retrying"), DeliveryState.RETRYING),
)
NEEDED = ("hitstream.view_delivery", "hitstream.view_hit")


def log_links(request: HttpRequest, operation: Operation) -> list[tuple[StrOrPromise, str]]:
    """Return the label and the address of each; none without a log, or for who may not open it."""
    if operation.integration.deleted_at or not request.user.has_perms(NEEDED):
        return []
    try:
        log = reverse("hitstream-console:deliveries")
    except NoReverseMatch:
        return []
    filters = filters_of(operation)
    return [
        (label, f"{log}?{urlencode({**filters, **({'state': state} if state else {})})}")
        for label, state in STATES
    ]


def filters_of(operation: Operation) -> dict[str, str]:
    """Return the criteria that the log has a filter for. Its times are those of arrival."""
    chosen = operation.selected
    is_by_arrival = operation.kind == Backfill.name
    since = chosen.received_since or (chosen.since if is_by_arrival else None)
    until = chosen.received_until or (chosen.until if is_by_arrival else None)
    given = {
        "integration": str(operation.integration_id),
        "event": chosen.event,
        "user": chosen.user,
        "status": chosen.status,
        "answer": chosen.answer,
        "attempts": str(chosen.attempts or ""),
        "since": local(since),
        "until": local(until),
    }
    return {name: value for name, value in given.items() if value}


def local(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M:%S}" if moment else ""
