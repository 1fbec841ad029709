"""A hit as a flat row, for tables and files. All of them have the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec

from tracking.events import Event

#: `id` is Hitstream's own id and unique; `hit_id` is the sender's id; the three times are UTC;
#: `payload` is the hit as it was sent.
COLUMNS = (
    "id",
    "hit_id",
    "type",
    "name",
    "user_id",
    "anonymous_id",
    "email_hash",
    "sent_at",
    "received_at",
    "occurred_at",
    "ip",
    "user_agent",
    "payload",
)
TIMES = ("sent_at", "received_at", "occurred_at")


def row(event: Event) -> dict[str, Any]:
    """Return the values by column. Absent texts are "", an absent `ip` is None."""
    values = {name: getattr(event, name) for name in COLUMNS}
    return values | {name: values[name].astimezone(UTC) for name in TIMES}


def lines(events: Sequence[Event]) -> bytes:
    """Return the rows as newline-delimited JSON."""
    return b"".join(msgspec.json.encode(row(event)) + b"\n" for event in events)
