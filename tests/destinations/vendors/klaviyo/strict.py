"""Klaviyo's events and profiles, as its pages have them: what is invalid is a 400.

Written from Klaviyo's API reference, "Create Event" (properties: at most 400; time: after the year
2000, at most a year ahead; value; value_currency: ISO 4217; the metric's name: fewer than 128
characters; unique_id), "Create or Update Profile" (email, phone_number in E.164, external_id) and
"Rate limits, status codes, and errors", section Ingestion limits (10 levels of nested objects,
4,000 items in arrays).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pycountry

from tests.destinations.judge import Ask, words

EVENT_KEYS = words("properties time unique_id value value_currency metric profile")
FIELDS = words(
    "email phone_number first_name last_name title image external_id anonymous_id properties"
)
CURRENCIES = {each.alpha_3 for each in pycountry.currencies}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+|[^@\s]+@localhost")


@dataclass
class KlaviyoDouble:
    """`now` is the server's clock in seconds; `events` are by their unique_id."""

    now: float
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        found = list(self.check(ask))
        self.problems += found
        if found:
            return 400, {"errors": [{"detail": each} for each in found]}
        attributes = ask.json["data"]["attributes"]
        if ask.path == "/api/events":
            self.events.setdefault(attributes["unique_id"], attributes)
            return 202, None
        self.profiles.append(attributes)
        return 200, {"data": {}}

    def check(self, ask: Ask) -> Iterator[str]:
        if not ask.headers.get("authorization", "").startswith("Klaviyo-API-Key "):
            yield "authorization"
        if not ask.headers.get("revision") or len(ask.body) > 5_000_000:
            yield "revision or size"
        data = ask.json["data"]
        if (ask.path, data["type"]) == ("/api/profile-import", "profile"):
            yield from check_profile(data["attributes"], words("email phone_number external_id"))
        elif (ask.path, data["type"]) == ("/api/events", "event"):
            yield from self.check_event(data["attributes"])
        else:
            yield f"{ask.path} {data['type']}"

    def check_event(self, event: dict[str, Any]) -> Iterator[str]:
        yield from (f"unknown key {key}" for key in event.keys() - EVENT_KEYS)
        moment = datetime.fromisoformat(event["time"])
        if moment.year < 2000 or moment.timestamp() > self.now:
            yield f"time {event['time']}"
        if not isinstance(event["properties"], dict) or len(event["properties"]) > 400:
            yield "properties"
        if depth(event["properties"]) > 10 or longest(event["properties"]) > 4_000:
            yield "properties are too deep or too long"
        if isinstance(event.get("value", 0), (bool, str)):
            yield "value is no number"
        if event.get("value_currency", "USD") not in CURRENCIES:
            yield "value_currency"
        name = event["metric"]["data"]["attributes"]["name"]
        if not 0 < len(name) < 128:
            yield "the name"
        known = words("email phone_number external_id anonymous_id")
        yield from check_profile(event["profile"]["data"]["attributes"], known)


def check_profile(profile: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    yield from (f"unknown key {key} of a profile" for key in profile.keys() - FIELDS)
    if not profile.keys() & known:
        yield "a profile of nobody"
    for key in profile.keys() - {"properties"}:
        if not (isinstance(profile[key], str) and profile[key]):
            yield f"{key} is no text"
    if not EMAIL.fullmatch(profile.get("email", "a@b.example")):
        yield f"email {profile['email']!r}"
    if not re.fullmatch(r"\+[1-9]\d{6,14}", profile.get("phone_number", "+1234567")):
        yield "phone_number"


def depth(value: Any) -> int:
    """Return the number of levels; a plain value has none."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inside), default=0) if isinstance(value, (dict, list)) else 0


def longest(value: Any) -> int:
    """Return the number of elements of the longest list inside."""
    inside = list(value.values()) if isinstance(value, dict) else value
    found = [longest(each) for each in inside if isinstance(each, (dict, list))]
    return max([len(value) if isinstance(value, list) else 0, *found])


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Klaviyo takes every property and every trait; an address or number that is none is not."""
    return path not in {("traits", "email"), ("traits", "phone")}
