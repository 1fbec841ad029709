"""From claims to the events of each request."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tracking.delivery.request_pool import Batch, BatchResult
from tracking.delivery.results import ResultBuffer
from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping.event_mapping import Outcome, Skipped, judge
from tracking.events import Event
from tracking.log_fields import log_fields
from tracking.models import Hit
from tracking.models.deliveries.claim import Claim
from tracking.models.deliveries.queue import FATAL_CLAIMS

logger = logging.getLogger(__name__)


def events_of(claims: Sequence[Claim], results: ResultBuffer) -> list[Event]:
    """Return the events of the claims, in the order of the hits; enter the claims that cannot be
    sent into the results."""
    harmless = [claim.hit_id for claim in claims if claim.claims <= FATAL_CLAIMS]
    found = Hit.objects.events(harmless, results.integration)
    events = []
    for claim in claims:
        if claim.claims > FATAL_CLAIMS:
            message = (
                f"{claim.claims - 1} times no worker came back from sending it, at last alone."
            )
            results.give_up_unsent(claim, "worker_killed", message)
        elif claim.hit_id not in found:
            results.give_up_unsent(claim, "hit_missing", "The hit is not stored any more.")
        else:
            events.append(found[claim.hit_id])
    return sorted(events, key=lambda event: event.id)


def sort_out(
    events: Sequence[Event],
    outcomes: Sequence[Outcome],
    results: ResultBuffer,
    destination: Destination,
) -> list[Event]:
    """Return the mapped events that are sent; enter the others into the results."""
    wanted = []
    for event, outcome in zip(events, outcomes, strict=True):
        try:
            judged = judge(outcome, destination)
        except Exception as error:
            judged = error
        if isinstance(judged, Event):
            wanted.append(judged)
        elif isinstance(judged, Skipped):
            results.skip(event, str(judged))
        else:
            results.enter(BatchResult(Batch([event], 0.0), judged))
    return wanted


def pack(events: list[Event], destination: Destination) -> list[Sequence[Event]]:
    """Return the destination's own batches; each event alone if it cannot make them."""
    try:
        batches = list(destination.batches(events))
        if sorted(event.id for batch in batches for event in batch) == [e.id for e in events]:
            return batches
        fault = "leaves events out of its batches"
    except Exception as error:
        fault = f"cannot pack its events: {type(error).__name__}"
    fields = log_fields(hits=(event.id for event in events))
    logger.error("%s %s", destination.slug, fault, extra=fields)
    return [[event] for event in events]
