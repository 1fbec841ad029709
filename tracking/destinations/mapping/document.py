"""What an operator's expressions see of an Event, and the Event that the changed document says.

A document is a dictionary: `name`, `type`, `userId`, `anonymousId`, `emailHash`, `groupId`,
`previousId`, `ip`, `userAgent`, the times as texts, and `properties`, `traits` and `context`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tracking.events import Event

Document = dict[str, Any]

#: What can be changed, and by which name an Event has it.
TEXTS = {
    "name": "name",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "emailHash": "email_hash",
    "userAgent": "user_agent",
}
OBJECTS = ("properties", "traits", "context")
CHANGEABLE = frozenset({*TEXTS, *OBJECTS, "groupId", "previousId", "ip"})
IDS = ("userId", "anonymousId", "emailHash")
TIMES = ("sent", "received", "occurred")
#: The keys of a payload that are made anew.
MADE = frozenset({*IDS, *OBJECTS, "event", "user", "groupId", "previousId"})
#: Of these types, in Segment's shape, the payload's `name` is the event's.
NAMED = frozenset({"page", "screen"})
#: Where a sender may say the same once more, and where destinations look for it.
TWINS = {
    **{name: f"context.{name}" for name in ("ip", "userAgent", "groupId", "traits")},
    **{name: f"context.traits.{name}" for name in IDS},
}


def read(event: Event) -> Document:
    """A new dictionary; what is in its objects is the event's own and must not be changed."""
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
    """The event as the document says it; nothing of what was changed is left in its payload."""
    texts: Document = {attribute: _text(document.get(name)) for name, attribute in TEXTS.items()}
    is_public = isinstance(event.payload.get("event"), Mapping)
    made = _public if is_public else _segment
    gone = MADE if is_public or event.type not in NAMED else MADE | {"name"}
    kept = {name: value for name, value in event.payload.items() if name not in gone}
    payload = {**kept, **made(event, document)}
    return replace(event, **texts, ip=_text(document.get("ip")) or None, payload=payload)


def spellings(field: str, type: str) -> list[str]:
    """The dotted field, and wherever else an event of the type may have the same."""
    first, dot, rest = field.partition(".")
    if field == "name" and type in NAMED:
        return [field, "properties.name"]
    if first in TWINS and (not dot or first in OBJECTS):
        return [field, f"{TWINS[first]}{dot}{rest}"]
    if f"{field}.".startswith("context.traits."):
        return [field, field.removeprefix("context.")]
    return [field]


def _public(event: Event, document: Document) -> Document:
    """In the shape of the public HTTP API."""
    user = {**_object(document, "traits"), **_given(document, IDS)}
    said = {**_object(document, "properties"), "name": _text(document.get("name")), "user": user}
    return {"event": said, **_filled(document, "context")}


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
    return {name: found for name in names if (found := _object(document, name))}


def _object(document: Document, name: str) -> Document:
    """An empty one where it was dropped, or replaced by what is none."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
