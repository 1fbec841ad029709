"""A hit as generic JSON, and the idempotency key of a batch, for receivers without a format of
their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from tracking.events import Event


def batch_id(events: Sequence[Event]) -> str:
    """Return the idempotency key, which is the same for the same events in the same order."""
    if len(events) == 1:
        return str(events[0].id)
    ids = b"".join(event.id.bytes for event in events)
    return f"batch_{hashlib.sha256(ids).hexdigest()[:32]}"


def hit_json(event: Event) -> dict[str, Any]:
    """Return the hit as the receiver gets it. Times are UTC."""
    return {
        "id": event.id,
        "hitId": event.hit_id,
        "type": event.type,
        "name": event.name,
        "userId": event.user_id,
        "anonymousId": event.anonymous_id,
        "sentAt": event.sent_at.astimezone(UTC),
        "receivedAt": event.received_at.astimezone(UTC),
        "occurredAt": event.occurred_at.astimezone(UTC),
        "ip": event.ip,
        "userAgent": event.user_agent,
        "payload": event.payload,
    }
