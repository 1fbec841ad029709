"""Meta's Conversions API, as its pages have it: one invalid event refuses the whole request.

Written from "Using the API" (Send Requests, Batch Requests: 1,000 events), "Main Body Parameters",
"Server Event Parameters" (event_time: at most 7 days ago; action_source; website events require
client_user_agent and event_source_url; opt_out), "Customer Information Parameters" (what is
hashed, and the form of fbc and fbp), "Custom Data Parameters" (the types of its fields; Purchase
requires currency and value; id and quantity of contents) and "Data Processing Options for US
Users"; "Conversion Tracking" (names of custom events: 50 characters).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pycountry

from tests.destinations.judge import Ask, words

EVENT_KEYS = words(
    "event_name event_time event_id event_source_url action_source user_data custom_data opt_out "
    "data_processing_options data_processing_options_country data_processing_options_state"
)
SOURCES = words("email website app phone_call chat physical_store system_generated other")
HASHED = words("em ph fn ln ct st zp country external_id ge db")
USER_KEYS = HASHED | words("client_ip_address client_user_agent fbc fbp")
TEXTS = words("content_name content_category order_id search_string content_type status")
NUMBERS = words("value num_items predicted_ltv")
CURRENCIES = {each.alpha_3 for each in pycountry.currencies}
WEEK = 7 * 86_400


@dataclass
class MetaDouble:
    """`now` is the server's clock in seconds; `events` are by their id."""

    now: float
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        found = list(self.check(ask))
        self.problems += found
        if found:
            return 400, {"error": {"code": 100, "message": "Invalid parameter"}}
        events = ask.json["data"]
        self.events |= {event["event_id"]: event for event in events}
        return 200, {"events_received": len(events), "messages": [], "fbtrace_id": "x"}

    def check(self, ask: Ask) -> Iterator[str]:
        body = ask.json
        if ask.method != "POST" or not re.fullmatch(r"/\d+/events", ask.path):
            yield f"{ask.method} {ask.path}"
        if not ask.query.get("access_token"):
            yield "access_token"
        if not isinstance(body, dict) or body.keys() - {"data", "test_event_code"}:
            yield "the body"
            return
        if not 1 <= len(body["data"]) <= 1_000:
            yield "not 1 to 1,000 events"
        for event in body["data"]:
            yield from self.check_event(event)

    def check_event(self, event: dict[str, Any]) -> Iterator[str]:
        yield from (f"unknown key {key}" for key in event.keys() - EVENT_KEYS)
        name, time = event.get("event_name"), event.get("event_time")
        if not (
            isinstance(name, str) and 0 < len(name) <= 50 and isinstance(event.get("event_id"), str)
        ):
            yield "event_name or event_id"
        if not isinstance(time, int) or not self.now - WEEK <= time <= self.now:
            yield f"event_time {time}"
        if event.get("action_source") not in SOURCES:
            yield "action_source"
        user, data = event.get("user_data", {}), event.get("custom_data", {})
        on_a_page = event.get("event_source_url") and user.get("client_user_agent")
        if event.get("action_source") == "website" and not on_a_page:
            yield "website without a page or a browser"
        if event.get("data_processing_options", ["LDU"]) != ["LDU"]:
            yield "data_processing_options"
        yield from check_user(user)
        yield from check_data(data)
        if name == "Purchase" and not {"currency", "value"} <= data.keys():
            yield "Purchase without currency and value"


def check_user(user: dict[str, Any]) -> Iterator[str]:
    yield from (f"unknown key {key}" for key in user.keys() - USER_KEYS)
    if not user:
        yield "nobody"
    for key in user.keys() & HASHED:
        listed = user[key]
        if not listed or not all(re.fullmatch(r"[0-9a-f]{64}", each) for each in listed):
            yield f"{key} is not hashed"
    if "client_ip_address" in user:
        ipaddress.ip_address(user["client_ip_address"])
    if "fbc" in user and not isinstance(user["fbc"], str):
        yield "fbc"


def check_data(data: dict[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        if key in TEXTS and not (isinstance(value, str) and value):
            yield f"{key} is no text"
        if key in NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
            yield f"{key} is no number"
        if isinstance(value, dict) or value is None:
            yield f"{key} is an object or null"
    yield from check_goods(data)


def check_goods(data: dict[str, Any]) -> Iterator[str]:
    if data.get("currency", "USD") not in CURRENCIES:
        yield f"currency {data['currency']}"
    if data.get("content_type", "product") not in {"product", "product_group"}:
        yield "content_type"
    if not all(isinstance(each, str) and each for each in data.get("content_ids", [])):
        yield "content_ids"
    for content in data.get("contents", []):
        if content.keys() - words("id quantity item_price delivery_category"):
            yield f"unknown keys of contents: {sorted(content)}"
        if not (isinstance(content.get("id"), str) and "quantity" in content):
            yield "contents without id or quantity"


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Return whether Meta has a field of its own for a value of the event, by the name of it."""
    if path[-1] == "currency" and {"products", "product"} & set(path):
        return False  # Its goods have one currency, that of the event.
    return path[-1] in words("orderId order_id currency unitSalePrice quantity")
