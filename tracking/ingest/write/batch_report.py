"""Reports of a batch of arrivals: to the log when it fails, to the observer when it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracking import observer
from tracking.current_request import Environ
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.pending_item import PendingItem, request_ids
from tracking.log_fields import log_fields

Items = Sequence[PendingItem[Arrival, Stored]]


def fields_of(items: Items) -> dict[str, Any]:
    """Return the fields of a log record about these items."""
    return log_fields(
        hits=(item.item.id for item in items),
        requests=request_ids(items),
        tokens=(item.item.token_id for item in items),
    )


def observe(items: Items) -> None:
    """Report the new hits among the settled items."""
    if observer.is_watching():
        new = [stored_hit(item.item, item.request) for item in items if item.outcome is Stored.NEW]
        observer.note_stored(new)


def observe_arrivals(new: Iterable[Arrival]) -> None:
    """Report new hits that are stored long after their requests."""
    if observer.is_watching():
        observer.note_stored([stored_hit(arrival, None) for arrival in new])


def stored_hit(arrival: Arrival, request: Environ | None) -> observer.StoredHit:
    return observer.StoredHit(
        arrival.id, arrival.token_id, arrival.type, arrival.received_at, request
    )
