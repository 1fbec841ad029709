"""TikTok's Events API 2.0: the code of an answer decides, not its status.

Written from "Events API Parameters" (the fields of user, properties, contents and page, and which
are hashed) and "Events API Responses and errors" (at most 1,000 events), as
`tracking/destinations/vendors/tiktok/` says that they are known, and from "About supported standard
events in TikTok Ads Manager" (query).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pycountry

from tests.destinations.judge import Ask, words

EVENT_KEYS = words("event event_time event_id user properties page limited_data_use")
HASHED = words("external_id email phone first_name last_name zip_code")
PLAIN = words("city state country ip user_agent locale ttclid ttp")
PROPERTIES = words(
    "contents content_type currency value query description order_id shop_id content_ids "
    "num_items search_string customer_type"
)
CONTENT = words("price quantity content_category content_id content_name brand")
CURRENCIES = {each.alpha_3 for each in pycountry.currencies}


@dataclass
class TikTokDouble:
    """`now` is the server's clock in seconds; `events` are by their id."""

    now: float
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        found = list(self.check(ask))
        self.problems += found
        if found:
            return 200, {"code": 40002, "message": "Invalid parameter"}
        self.events |= {event["event_id"]: event for event in ask.json["data"]}
        return 200, {"code": 0, "message": "OK", "data": {}}

    def check(self, ask: Ask) -> Iterator[str]:
        body = ask.json
        if (ask.method, ask.path) != ("POST", "/event/track/"):
            yield f"{ask.method} {ask.path}"
        if not ask.headers.get("access-token"):
            yield "Access-Token"
        if body.keys() - words("event_source event_source_id test_event_code data"):
            yield "unknown keys of the body"
        if body.get("event_source") != "web" or not body.get("event_source_id"):
            yield "event_source"
        if not 1 <= len(body["data"]) <= 1_000:
            yield "not 1 to 1,000 events"
        for event in body["data"]:
            yield from self.check_event(event)

    def check_event(self, event: dict[str, Any]) -> Iterator[str]:
        yield from (f"unknown key {key}" for key in event.keys() - EVENT_KEYS)
        if not (isinstance(event.get("event"), str) and event["event"]):
            yield "event"
        time = event.get("event_time")
        if not isinstance(time, int) or time > self.now:
            yield f"event_time {time}"
        if not event.get("page", {}).get("url", "").startswith("http"):
            yield "a web event without a page"
        yield from check_user(event.get("user", {}))
        yield from check_properties(event.get("properties", {}))


def check_user(user: dict[str, Any]) -> Iterator[str]:
    yield from (f"unknown key {key} of user" for key in user.keys() - HASHED - PLAIN)
    for key in user.keys() & HASHED:
        listed = user[key] if isinstance(user[key], list) else [user[key]]
        if not all(re.fullmatch(r"[0-9a-f]{64}", each) for each in listed):
            yield f"{key} is not hashed"
    if not re.fullmatch(r"[a-z]{2}", user.get("country", "us")):
        yield f"country {user['country']}"
    for key in user.keys() & PLAIN:
        if not (isinstance(user[key], str) and user[key]):
            yield f"{key} is no text"


def check_properties(told: dict[str, Any]) -> Iterator[str]:
    yield from (f"unknown key {key} of properties" for key in told.keys() - PROPERTIES)
    if told.get("currency", "USD") not in CURRENCIES:
        yield f"currency {told['currency']}"
    for key in told.keys() & words("query description order_id shop_id content_type"):
        if not (isinstance(told[key], str) and told[key]):
            yield f"{key} is no text"
    if isinstance(told.get("value", 0), (bool, str)):
        yield "value is no number"
    yield from check_contents(told.get("contents", []))


def check_contents(contents: list[dict[str, Any]]) -> Iterator[str]:
    for content in contents:
        yield from (f"unknown key {key} of contents" for key in content.keys() - CONTENT)
        for key in content.keys() & words("price quantity"):
            if isinstance(content[key], (bool, str)):
                yield f"{key} is no number"
        for key in content.keys() - words("price quantity"):
            if not (isinstance(content[key], str) and content[key]):
                yield f"{key} is no text"


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Return whether TikTok has a field of its own for a value of the event, by the name of it."""
    names = "orderId order_id currency unitSalePrice quantity manufacturer brand description"
    if path[-1] == "currency" and {"products", "product"} & set(path):
        return False  # Its goods have one currency, that of the event.
    return path[-1] in words(names)
