"""BigQuery's rows: an Event in, the values of the columns out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tracking.events import Event


def describe(event: Event) -> dict[str, Any]:
    """Return the row. An event of another type than track has its type in `event`. Properties
    called `name` or `type` that differ from the event's own are kept in `properties` there."""
    own = {"name": event.name} if event.name else {}
    own |= {} if event.type == "track" else {"type": event.type}
    properties = event.properties
    hidden = {
        name: properties[name] for name in own if properties.get(name, own[name]) != own[name]
    }
    content = {**own, **properties, **own, **({"properties": hidden} if hidden else {})}
    ids = {"userId": event.user_id, "anonymousId": event.anonymous_id}
    ids |= {"emailHash": event.email_hash}
    user = {**event.traits, **{name: value for name, value in ids.items() if value}}
    sender = {"ip": event.ip, "userAgent": event.user_agent}
    context = {**{name: value for name, value in sender.items() if value}, **event.context}
    return {
        "event": _text(content),
        "user": _text(user),
        "context": _text(context),
        "hitId": event.hit_id,
        "sentAt": _instant(event.sent_at),
        "receivedAt": _instant(event.received_at),
    }


def _text(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
