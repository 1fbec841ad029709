"""The values that travel to destinations: an Event, and the result of sending it. No Django."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")

#: The types of an event.
TYPES = ("track", "identify", "page", "screen", "group", "alias")

#: The event and the user of *Send a test event*. Analytics does not count it.
TEST_EVENT, TEST_USER = "Hitstream Test", "hitstream-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The content of a hit. Destinations see only this.

    `id` is Hitstream's own and the same on every retry: put it in the vendor's idempotency field.
    `type` is one of TYPES. Absent texts are "". Times are aware; `clock` names the rule that gave
    `occurred_at`. No event happens after its receipt: a later `occurred_at` becomes `received_at`.
    `payload` is the decoded JSON of the sender, in one of two shapes: the public HTTP API's, where
    `event` is an object, or Segment's. The properties below read both. `options` are the
    integration's own in the hit's `integrations` object.
    """

    id: UUID
    hit_id: str
    type: str
    name: str
    user_id: str
    anonymous_id: str
    email_hash: str
    sent_at: datetime
    received_at: datetime
    occurred_at: datetime
    clock: str
    ip: str | None
    user_agent: str
    payload: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    #: What was read of the event, by `read_once`.
    known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.occurred_at > self.received_at:
            object.__setattr__(self, "occurred_at", self.received_at)

    @property
    def context(self) -> Mapping[str, Any]:
        return _object(self.payload, "context")

    @property
    def properties(self) -> Mapping[str, Any]:
        """The fields of the event without its name and its user."""
        return read_once(Event._read_properties, self)

    @property
    def traits(self) -> Mapping[str, Any]:
        """The traits of the user, or, for type group, of the group."""
        return read_once(Event._read_traits, self)

    def _read_properties(self) -> Mapping[str, Any]:
        event = self.payload.get("event")
        if isinstance(event, dict):
            return {name: value for name, value in event.items() if name not in {"name", "user"}}
        return _object(self.payload, "properties")

    def _read_traits(self) -> Mapping[str, Any]:
        if isinstance(self.payload.get("event"), dict):
            user = _object(self.payload, "event", "user")
            return {**_object(self.payload, "user"), **user}
        return _object(self.payload, "traits") or _object(self.payload, "context", "traits")

    @property
    def group_id(self) -> str:
        return _text(self.payload.get("groupId") or self.context.get("groupId"))

    @property
    def previous_id(self) -> str:
        """For type alias: the former id of the user."""
        return _text(self.payload.get("previousId"))

    @property
    def timestamp(self) -> str:
        """The event's time as the sender wrote it."""
        return _text(self.payload.get("timestamp"))


def read_once(read: Callable[[Event], T], event: Event) -> T:
    """Return what `read` makes of the event. It is called once: an event never changes."""
    if read not in event.known:
        event.known[read] = read(event)
    value: T = event.known[read]
    return value


def _object(value: Any, *names: str) -> Mapping[str, Any]:
    """Return the object under these names, one inside the other; an empty one without it."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A request to a vendor and its answer, fit to be stored: secrets masked, bodies cut."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    response_headers: Mapping[str, str]
    response_body: str


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request to a vendor and its result; its transcript is written only on demand.

    `status` is None without an answer. `duration` is in seconds.
    """

    status: int | None
    duration: float
    write: Callable[[], Transcript] = field(repr=False)

    @cached_property
    def said(self) -> Transcript:
        return self.write()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The vendor's answer to a batch: `refused` maps events to the vendor's reason; every other
    event was accepted."""

    exchange: Exchange
    refused: Mapping[UUID, str] = field(default_factory=dict)
