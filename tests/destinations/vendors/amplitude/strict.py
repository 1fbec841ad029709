"""Amplitude's HTTP V2 API, as its pages have it: one invalid event refuses the whole upload.

Written from "HTTP V2 API" (Upload limit; Keys for the event argument; Options; the errors'
properties), "Batch Event Upload API" (Event properties, Responses) and "Batch and retry HTTP V2 API
requests".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.destinations.judge import Ask, words

TEXTS = words(
    "user_id device_id event_type app_version platform os_name os_version device_brand "
    "device_manufacturer device_model carrier country region city dma language productId "
    "revenueType ip idfa idfv adid android_id insert_id"
)
INTEGERS = {"time", "quantity", "event_id", "session_id"}
FLOATS = {"price", "revenue", "location_lat", "location_lng"}
OBJECTS = {"event_properties", "user_properties", "groups", "group_properties", "plan"}
RESERVED = {
    f"[Amplitude] {name}"
    for name in (
        *("Start Session", "End Session", "Revenue", "Revenue (Verified)"),
        *("Revenue (Unverified)", "Merged User"),
    )
}
OPERATIONS = {"$set", "$setOnce", "$add", "$append", "$prepend", "$unset", "$preInsert"}


@dataclass
class AmplitudeDouble:
    """`events` are by their insert_id. `busy` are users who had too many events a second,
    `silenced` are devices."""

    api_key: str
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    silenced: set[str] = field(default_factory=set)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        if ask.path != "/2/httpapi":
            return 404, {}
        if len(ask.body) > 1_000_000:
            return 413, {"code": 413, "error": "Payload too large"}
        body = ask.json
        if ask.method != "POST" or not isinstance(body, dict):
            return 400, {"code": 400, "error": "Invalid JSON request body"}
        if body.get("api_key") != self.api_key:
            return 400, {"code": 400, "error": f"Invalid API key: {body.get('api_key')}"}
        if body.keys() - {"api_key", "events", "options"} or not body.get("events"):
            missing = {"missing_field": "events"}
            return 400, {"code": 400, "error": "Request missing required field", **missing}
        if len(body["events"]) > 2000:
            return 413, {"code": 413, "error": "Payload too large"}
        return self.take(body["events"], body.get("options", {}).get("min_id_length", 5))

    def take(self, events: list[dict[str, Any]], shortest: int) -> tuple[int, Any]:
        named: dict[str, dict[str, list[int]]] = {}
        for place, event in enumerate(events):
            for kind, name in check(event, shortest):
                named.setdefault(kind, {}).setdefault(name, []).append(place)
        if named:
            return 400, {"code": 400, "error": "Invalid events", **named}
        silenced = [n for n, event in enumerate(events) if event.get("device_id") in self.silenced]
        if silenced:
            said = {"code": 400, "error": "Events silenced for device_id"}
            return 400, {**said, "silenced_devices": [*self.silenced], "silenced_events": silenced}
        throttled = [n for n, event in enumerate(events) if event.get("user_id") in self.busy]
        if throttled:
            said = {"code": 429, "error": "Too many requests for some devices and users"}
            rates = {"eps_threshold": 30, "throttled_users": dict.fromkeys(self.busy, 31)}
            return 429, {**said, **rates, "throttled_events": throttled}
        for event in events:
            self.events.setdefault(event["insert_id"], event)
        return 200, {"code": 200, "events_ingested": len(events)}


def check(event: dict[str, Any], shortest: int) -> Iterator[tuple[str, str]]:
    """What is wrong, as the answer's key and the field's name."""
    if not event.get("event_type"):
        yield "events_with_missing_fields", "event_type"
    if not (event.get("user_id") or event.get("device_id")):
        yield "events_with_missing_fields", "user_id"
    for name in ("user_id", "device_id"):
        if name in event and len(str(event[name])) < shortest:
            yield "events_with_invalid_id_lengths", name
    for name, value in event.items():
        if not fits(name, value):
            yield "events_with_invalid_fields", name
    operations = event.get("user_properties", {}) if event.get("event_type") == "$identify" else {}
    if not operations.keys() <= OPERATIONS:
        yield "events_with_invalid_fields", "user_properties"


def fits(name: str, value: Any) -> bool:
    if name in TEXTS:
        return isinstance(value, str) and not (name == "event_type" and value in RESERVED)
    if name in INTEGERS:
        return isinstance(value, int) and not isinstance(value, bool)
    if name in FLOATS:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return name in OBJECTS and isinstance(value, dict) and depth(value) <= 40


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inside), default=0) if isinstance(value, (dict, list)) else 0


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Amplitude takes every property and every trait."""
    return True
