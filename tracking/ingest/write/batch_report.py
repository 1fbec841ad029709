"""Reports of a batch of arrivals: to the log when it fails, to the observer when it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracking import observer
from tracking.current_request import id_of
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.pending_item import PendingItem
from tracking.log_fields import MOST, log_fields

Items = Sequence[PendingItem[Arrival, Stored]]


def fields_of(items: Items) -> dict[str, Any]:
    """Return the fields of a log record about these items."""
    return log_fields(
        hits=(item.item.id for item in items),
        requests=(id_of(item.request) for item in items[:MOST] if item.request is not None),
        tokens=(item.item.token_id for item in items),
    )


def observe(items: Items) -> None:
    """Report the new hits among the settled items."""
    if not observer.is_watching():
        return
    new = [
        observer.StoredHit(
            item.item.id,
            item.item.token_id,
            item.item.type,
            item.item.received_at,
            item.request,
        )
        for item in items
        if item.outcome is Stored.NEW
    ]
    if new:
        observer.note_stored(new)
