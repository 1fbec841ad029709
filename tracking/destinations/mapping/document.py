"""The document that an operator's expressions read, and the Event that the changed document stands
for.

A document is a dictionary: `name`, `type`, `userId`, `anonymousId`, `emailHash`, `groupId`,
`previousId`, `ip`, `userAgent`, the times as texts, and `properties`, `traits` and `context`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tracking.events import Event

Document = dict[str, Any]

#: The text fields that can be changed, and the attributes of Event that hold them.
TEXTS = {
    "name": "name",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "emailHash": "email_hash",
    "userAgent": "user_agent",
}
OBJECTS = ("properties", "traits", "context")
CHANGEABLE = frozenset({*TEXTS, *OBJECTS, "groupId", "previousId", "ip"})
#: The fields of a document: what expressions can read.
VARIABLES = CHANGEABLE | {"id", "hitId", "type", "sentAt", "receivedAt", "occurredAt"}
IDS = ("userId", "anonymousId", "emailHash")
TIMES = ("sent", "received", "occurred")
#: The keys of a payload that are created from the document.
MADE = frozenset({*IDS, *OBJECTS, "event", "user", "groupId", "previousId"})
#: In Segment's shape, the payload's `name` is the event's name for these types.
NAMED = frozenset({"page", "screen"})
#: The second place where a sender may state the same value, and where destinations look for it.
TWINS = {
    **{name: f"context.{name}" for name in ("ip", "userAgent", "groupId", "traits")},
    **{name: f"context.traits.{name}" for name in IDS},
}


def read(event: Event) -> Document:
    """Return a new document. The contents of its objects belong to the event and must not be
    changed."""
    traits = {name: value for name, value in event.traits.items() if name not in IDS}
    return {
        "id": str(event.id),
        "hitId": event.hit_id,
        "type": event.type,
        **{name: getattr(event, attribute) for name, attribute in TEXTS.items()},
        "groupId": event.group_id,
        "previousId": event.previous_id,
        "ip": event.ip or "",
        **{f"{name}At": getattr(event, f"{name}_at").isoformat() for name in TIMES},
        "properties": dict(event.properties),
        "traits": traits,
        "context": dict(event.context),
    }


def write(event: Event, document: Document) -> Event:
    """Return the event that the document describes. Nothing of the changed values stays in its
    payload."""
    texts: Document = {attribute: _text(document.get(name)) for name, attribute in TEXTS.items()}
    is_public = isinstance(event.payload.get("event"), Mapping)
    made = _public if is_public else _segment
    gone = MADE if is_public or event.type not in NAMED else MADE | {"name"}
    kept = {name: value for name, value in event.payload.items() if name not in gone}
    payload = {**kept, **made(event, document)}
    return replace(event, **texts, ip=_text(document.get("ip")) or None, payload=payload)


def spellings(field: str, type: str) -> list[str]:
    """Return the dotted field and every other place where an event of the type may hold the same
    value."""
    first, dot, rest = field.partition(".")
    if field == "name" and type in NAMED:
        return [field, "properties.name"]
    if first in TWINS and (not dot or first in OBJECTS):
        return [field, f"{TWINS[first]}{dot}{rest}"]
    if f"{field}.".startswith("context.traits."):
        return [field, field.removeprefix("context.")]
    return [field]


def _public(event: Event, document: Document) -> Document:
    """Return the payload in the shape of the public HTTP API."""
    user = {**_object(document, "traits"), **_given(document, IDS)}
    event_object = {
        **_object(document, "properties"),
        "name": _text(document.get("name")),
        "user": user,
    }
    return {"event": event_object, **_filled(document, "context")}


def _segment(event: Event, document: Document) -> Document:
    text = _text(document.get("name"))
    name = {"event": text} if event.type == "track" else {}
    if event.type in NAMED and text:
        name = {"name": text}
    ids = _given(document, (*IDS, "groupId", "previousId"))
    return {**name, **ids, **_filled(document, *OBJECTS)}


def _given(document: Document, names: tuple[str, ...]) -> Document:
    return {name: document[name] for name in names if document.get(name)}


def _filled(document: Document, *names: str) -> Document:
    return {name: value for name in names if (value := _object(document, name))}


def _object(document: Document, name: str) -> Document:
    """Return the object; an empty one if it was dropped or replaced by something else."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
