"""Google's Measurement Protocol, as its pages have it; /mp/collect takes everything in silence.

Written from "Measurement Protocol reference" (JSON POST body; Consent; Common event parameters;
Reserved names, a list for events and one for parameters), "Send Measurement Protocol events"
(Limitations: 10 own parameters in an item), "Validate events", "Event naming rules" (letters of any
language), "Event collection limits", "Recommended events" (what is required of each) and "Measure
ecommerce" (200 items).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.destinations.judge import Ask, words

BODY_KEYS = words(
    "client_id user_id timestamp_micros user_properties user_data consent "
    "non_personalized_ads user_location ip_override device user_agent validation_behavior "
    "events"
)
RESERVED_EVENTS = words(
    "ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_clear_data "
    "app_exception app_install app_remove app_store_refund app_update app_upgrade "
    "dynamic_link_app_open dynamic_link_app_update dynamic_link_first_open error "
    "firebase_campaign firebase_in_app_message_action firebase_in_app_message_dismiss "
    "firebase_in_app_message_impression first_open first_visit notification_dismiss "
    "notification_foreground notification_open notification_receive notification_send "
    "os_update session_start user_engagement ad_impression in_app_purchase screen_view"
)
RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
ITEM_KEYS = words(
    "item_id item_name affiliation coupon currency creative_name creative_slot discount index "
    "item_brand item_category item_category2 item_category3 item_category4 item_category5 "
    "item_list_id item_list_name item_variant location_id price promotion_id promotion_name "
    "quantity"
)
LENGTHS = {"page_location": 1000, "page_referrer": 420, "page_title": 300}
NUMBERS = {"value", "tax", "shipping", "price", "discount", "quantity", "index"}
WITH_ITEMS = words(
    "add_payment_info add_shipping_info add_to_cart add_to_wishlist begin_checkout purchase "
    "remove_from_cart select_item view_cart view_item view_item_list"
)
PRICED = WITH_ITEMS | {"refund", "generate_lead"}
ALWAYS_NUMBERS = {"engagement_time_msec", "timestamp_micros"}
REQUIRED = {"purchase": "transaction_id", "refund": "transaction_id", "search": "search_term"}
NAME = re.compile(r"[^\W\d_]\w{0,39}")
#: The consent of a request, by its two keys.
CONSENT = {"ad_user_data", "ad_personalization"}


@dataclass
class GoogleAnalyticsDouble:
    """`problems` are what Google would have dropped without a word; `events` what it got."""

    problems: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, ask: Ask) -> tuple[int, Any]:
        found = list(check(ask))
        if ask.path == "/debug/mp/collect":
            messages = [{"fieldPath": "", "description": each} for each in found]
            return 200, {"validationMessages": messages}
        self.problems += found
        self.events += (ask.json or {}).get("events", [])
        return 204, None


def check(ask: Ask) -> Iterator[str]:
    if ask.method != "POST" or ask.headers.get("content-type") != "application/json":
        yield "not a POST of JSON"
    if not re.fullmatch(r"G-[A-Z0-9]+", ask.query.get("measurement_id", "")):
        yield "measurement_id"
    if not ask.query.get("api_secret"):
        yield "api_secret"
    if len(ask.body) >= 130_000:
        yield "the body is not below 130 kB"
    if isinstance(ask.json, dict):
        yield from check_body(ask.json)
    else:
        yield "the body is no object"


def check_body(body: dict[str, Any]) -> Iterator[str]:
    for key in body.keys() - BODY_KEYS:
        yield f"unknown key {key}"
    yield from check_consent(body.get("consent", {"ad_user_data": "GRANTED"}))
    if not re.fullmatch(r"[1-9]\d*\.[1-9]\d*", str(body.get("client_id", ""))):
        yield f"client_id {body.get('client_id')!r} is not two positive numbers with a period"
    for key in ("client_id", "user_id", "ip_override", "user_agent"):
        if key in body and not (isinstance(body[key], str) and body[key]):
            yield f"{key} is no text"
    if len(body.get("user_id", "")) > 256:
        yield "user_id is too long"
    events = body.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= 25:
        yield "not 1 to 25 events"
        return
    for event in events:
        yield from check_event(event)


def check_consent(consent: dict[str, str]) -> Iterator[str]:
    if not consent or consent.keys() - CONSENT or set(consent.values()) - {"GRANTED", "DENIED"}:
        yield f"consent {consent}"


def check_event(event: dict[str, Any]) -> Iterator[str]:
    name, params = event.get("name", ""), event.get("params", {})
    if event.keys() - {"name", "params"}:
        yield f"unknown keys in {name}"
    if not NAME.fullmatch(name):
        yield f"the name {name!r} is invalid"
    if name in RESERVED_EVENTS or name.startswith(RESERVED_PREFIXES):
        yield f"the name {name} is reserved"
    if len(params) > 25:
        yield f"{len(params)} parameters"
    for key, value in params.items():
        if key != "items":
            yield from check_param(key, value, name)
    yield from check_goods(name, params)


def check_goods(name: str, params: dict[str, Any]) -> Iterator[str]:
    items = params.get("items", [])
    if name in PRICED and "value" in params and "currency" not in params:
        yield "a value without a currency"
    if name in PRICED and not re.fullmatch(r"[A-Z]{3}", str(params.get("currency", "XXX"))):
        yield "currency"
    if name in WITH_ITEMS and not items:
        yield f"{name} without items"
    if name in REQUIRED and not params.get(REQUIRED[name]):
        yield f"{name} without {REQUIRED[name]}"
    if len(items) > 200:
        yield "more than 200 items"
    for item in items:
        yield from check_item(item)


def check_param(key: str, value: Any, where: str) -> Iterator[str]:
    if not NAME.fullmatch(key):
        yield f"the parameter name {key!r} is invalid"
    if key == "firebase_conversion" or key.startswith(RESERVED_PREFIXES):
        yield f"the parameter name {key} is reserved"
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        yield f"{key} of {where} is {type(value).__name__}"
    if isinstance(value, str) and not 1 <= len(value) <= LENGTHS.get(key, 100):
        yield f"{key} of {where} has {len(value)} characters"
    numeric = key in ALWAYS_NUMBERS or (key in NUMBERS and where in PRICED)
    if numeric and isinstance(value, str):
        yield f"{key} is no number"
    if key == "session_id" and not float(value) > 0:
        yield f"session_id {value!r}"
    if key == "timestamp_micros" and not 10**15 < value < 10**16:
        yield f"{value} is not in microseconds"


def check_item(item: dict[str, Any]) -> Iterator[str]:
    if not (item.get("item_id") or item.get("item_name")):
        yield "an item without id and name"
    if len(item.keys() - ITEM_KEYS) > 10:
        yield "more than 10 custom parameters in an item"
    for key, value in item.items():
        yield from check_param(key, value, "purchase")


def can_take(event: str, path: tuple[str, ...], value: Any) -> bool:
    """Return whether Google has a place for the value: a text or a number, at most one level inside
    an object or anywhere in an item, under a name that it allows."""
    name = re.sub(r"\W+", "_", path[-1] if len(path) < 3 else "_".join(path[1:]))[:40]
    fits = isinstance(value, str) and 0 < len(value) <= 100
    plain = fits or isinstance(value, (bool, int, float))
    free = NAME.fullmatch(name) and not name.lower().startswith(RESERVED_PREFIXES)
    deep = len(path) > 3 or (len(path) == 3 and path[2].isdigit())
    return bool(path[0] == "properties" and not deep and plain and free)
