"""The preview of an operation: its effect, shown before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping.event_mapping import Skipped, prepare
from tracking.destinations.transport.recorder import Recorder
from tracking.events import Event, Transcript
from tracking.exceptions import DeliveryError, SetupError
from tracking.models.hits.hit import Hit
from tracking.models.integrations.integration import Integration
from tracking.uuid7 import moment_of

#: Requests that a preview shows at most.
SAMPLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many hits the operation covers, when the first and the last of them arrived, and the
    requests for some of them as the destination would send them now. `note` says why there are
    fewer than expected, and which values these requests lack."""

    count: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    sample: tuple[Transcript, ...] = ()
    note: str = ""


def preview(rows: QuerySet[Any], integration: Integration) -> Preview:
    """Return the preview of rows that each name a hit: queued deliveries or dead letters."""
    # No aggregate of Postgres before 18 accepts a UUID.
    hit_id = Cast("hit_id", TextField())
    found = rows.order_by().aggregate(count=Count("*"), first=Min(hit_id), last=Max(hit_id))
    if not found["count"]:
        return Preview()
    sample, note = show(integration, list(rows.values_list("hit_id", flat=True)[:SAMPLE]))
    return Preview(
        count=found["count"],
        oldest=moment_of(UUID(found["first"])),
        newest=moment_of(UUID(found["last"])),
        sample=sample,
        note=note,
    )


def show(integration: Integration, hit_ids: Sequence[UUID]) -> tuple[tuple[Transcript, ...], str]:
    """Return the requests for these hits as the destination would send them now, secrets masked;
    and why some hits cannot be sent and some values are left out."""
    try:
        destination = integration.open()
    except SetupError as error:
        return (), str(error)
    events = Hit.objects.events(hit_ids, integration)
    notes = (
        [] if len(events) == len(hit_ids) else [str(_("Some of the hits are not stored any more."))]
    )
    wanted = []
    mapping = integration.open_mapping()
    for event in (events[hit_id] for hit_id in sorted(events)):
        try:
            wanted.append(prepare(event, mapping, destination))
        except Skipped as skipped:
            notes.append(f"Skipped: {skipped}")
        except DeliveryError as error:
            notes.append(str(error))
    try:
        sample = tuple(islice(_requests(destination, wanted), SAMPLE))
        notes += _left_out(destination, wanted)
    except Exception as error:
        # The error's text may hold a secret.
        notes.append(
            _("The destination's own code fails: %(error)s.") % {"error": type(error).__name__}
        )
        sample = ()
    return sample, " ".join(notes)


def _left_out(destination: Destination, events: Sequence[Event]) -> list[str]:
    """Return a sentence for each rule that leaves a value of these events out."""
    rules = (rule for event in events for rule in destination.left_out(event).values())
    return [
        _("A value is left out: %(reason)s") % {"reason": rule.reason}
        for rule in dict.fromkeys(rules)
    ]


def _requests(destination: Destination, events: Sequence[Event]) -> Iterator[Transcript]:
    for batch in destination.batches(events):
        request = replace(destination.request(batch), secrets=destination.secrets)
        yield Recorder(request).write()
