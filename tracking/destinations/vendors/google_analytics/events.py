"""Google Analytics 4's events: an Event in, its name and parameters within Google's limits out.

Source: "Recommended events"
(https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events), the
tables of each event; "Measurement Protocol reference", sections "Common event parameters" and
"Reserved names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.destinations.spec.browsing import read_campaigns, read_listing, read_search, read_step
from tracking.destinations.spec.coerce import plain, to_number
from tracking.destinations.spec.ecommerce import LineItem, Sale, read_sale
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.person import read_visit
from tracking.destinations.vendors.google_analytics.limits import MAX_PARAMS, limit, trim_name
from tracking.events import Event

GOODS = ("currency", "value", "items")
ORDER = ("transaction_id", *GOODS, "tax", "shipping", "coupon")
LIST = ("item_list_id", "item_list_name", "items")
BANNER = ("promotion_id", "promotion_name", "creative_name", "creative_slot", "items")
#: The catalogue's name → Google's name and the parameters that it accepts.
EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Viewed Page": ("page_view", ()),
    "Viewed Product Detail": ("view_item", GOODS),
    "Viewed Product Listing": ("view_item_list", LIST),
    "Viewed Product": ("view_item_list", LIST),
    "Clicked Product": ("select_item", LIST),
    "Searched Products": ("search", ("search_term",)),
    "Added Product": ("add_to_cart", GOODS),
    "Removed Product": ("remove_from_cart", GOODS),
    "Added Product to Wishlist": ("add_to_wishlist", GOODS),
    "Viewed Cart": ("view_cart", GOODS),
    "Started Order": ("begin_checkout", (*GOODS, "coupon")),
    "Added Payment Info": ("add_payment_info", (*GOODS, "coupon", "payment_type")),
    "Completed Transaction": ("purchase", ORDER),
    "Refunded Transaction": ("refund", ORDER),
    "Viewed Campaign": ("view_promotion", BANNER),
    "Clicked Campaign": ("select_promotion", BANNER),
    "Registered": ("sign_up", ("method",)),
    "Logged In": ("login", ("method",)),
    "Lead": ("generate_lead", ("currency", "value")),
}
#: Google's required parameters. A purchase or refund without them is skipped; another event is sent
#: under its own name.
REQUIRED: dict[str, tuple[str, ...]] = {
    name: ("items",) for name, fields in EVENTS.values() if "items" in fields
}
REQUIRED |= {"search": ("search_term",), "purchase": ("transaction_id", "items")}
REQUIRED |= {"refund": ("transaction_id",), "view_promotion": (), "select_promotion": ()}
#: For senders that already use Google's names.
BY_OWN_NAME = {entry[0]: entry for entry in EVENTS.values()}
MONEY = frozenset({"purchase", "refund"})


@dataclass(frozen=True, slots=True)
class GoogleEvent:
    """An event as it is sent to Google. `unfit` is the reason why it cannot be sent, else empty."""

    name: str
    params: dict[str, Any]
    unfit: str = ""


def google_event(event: Event) -> GoogleEvent:
    """Return the event under Google's name with its parameters, else under its own name with its
    plain values. Of more than MAX_PARAMS parameters, those that every event has come first."""
    own_words = _snake(own_name(event))
    name, fields = EVENTS.get(meaning(event)) or BY_OWN_NAME.get(own_words, ("", ()))
    standard = _standard_params(event, fields)
    lacks = [field for field in REQUIRED.get(name, ()) if field not in standard]
    if lacks and (name in MONEY or name == own_words):
        return GoogleEvent(
            "", {}, f"Google Analytics accepts {name} only with {' and '.join(lacks)}."
        )
    own: dict[str, Any] = {}
    if lacks or not name:
        name = trim_name(own_words)
        own = dict(_custom_params(event))
    if not name:
        unfit = f"Google Analytics does not allow the event name {event.name!r}, or reserves it."
        return GoogleEvent("", {}, unfit)
    known = {**_common_params(event), **standard, **_page_params(event)}
    params = filled({**known, **{key: own[key] for key in own if key not in known}})
    return GoogleEvent(name, dict(list(limit(params).items())[:MAX_PARAMS]))


def _snake(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()


def _page_params(event: Event) -> dict[str, str]:
    visit = read_visit(event)
    return {
        "page_location": visit.url,
        "page_title": visit.title,
        "page_referrer": visit.referrer,
    }


def _common_params(event: Event) -> dict[str, Any]:
    """Return the time, the session if the sender states it, and the engagement of the visitor.

    A hit without interaction must not count as engagement. Google requires a number as session id.
    """
    properties = event.properties
    session = next(
        (
            number
            for place in (event.options, properties, event.context)
            for name in ("sessionId", "session_id")
            if (number := to_number(place.get(name))) and number > 0
        ),
        None,
    )
    quiet = properties.get("nonInteraction") is True
    engaged = to_number(properties.get("engagement_time_msec")) or 1
    return {
        "timestamp_micros": int(min(event.occurred_at, event.received_at).timestamp() * 1_000_000),
        "session_id": str(session) if session else "",
        "engagement_time_msec": None if quiet else engaged,
    }


def _standard_params(event: Event, fields: tuple[str, ...]) -> dict[str, Any]:
    if not fields:
        return {}
    sale, listing = read_sale(event), read_listing(event)
    banner = next(iter(read_campaigns(event)), None) if "promotion_id" in fields else None
    values = {
        "transaction_id": sale.order_id,
        "currency": sale.currency,
        "value": sale.revenue if sale.currency else None,
        "tax": sale.tax,
        "shipping": sale.shipping,
        "coupon": sale.coupon,
        "payment_type": sale.payment or read_step(event).option,
        "item_list_id": listing.id,
        "item_list_name": listing.name or listing.category,
        "search_term": read_search(event),
        "method": plain(event.properties.get("method")),
        "promotion_id": banner.id if banner else "",
        "promotion_name": banner.name if banner else "",
        "creative_name": banner.creative if banner else "",
        "creative_slot": banner.position if banner else "",
        "items": [_item(item, sale) for item in sale.items],
    }
    return filled({name: values[name] for name in fields})


def _item(item: LineItem, sale: Sale) -> dict[str, Any]:
    levels = zip(("", "2", "3", "4", "5"), item.categories, strict=False)
    values = {
        "item_id": item.id or item.sku,
        "item_name": item.name,
        "affiliation": sale.affiliation,
        "coupon": item.coupon,
        "discount": item.discount,
        "index": item.position,
        "item_brand": item.brand,
        **{f"item_category{place}": level for place, level in levels},
        "item_variant": item.variant,
        "price": item.price,
        "quantity": item.quantity,
    }
    return limit(filled(values))


def _custom_params(event: Event) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of an event that Google does not know, and the custom dimensions and
    metrics of the public HTTP API by their names."""
    properties = dict(event.properties)
    for listed in (properties.pop("customDimensions", None), properties.pop("customMetrics", None)):
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, Mapping) and plain(each.get("name")):
                properties.setdefault(plain(each["name"]), each.get("value"))
    for raw, value in _flatten(properties):
        name = trim_name(re.sub(r"[^A-Za-z0-9_]+", "_", raw))
        if name and name not in {"nonInteraction", "firebase_conversion"}:
            yield name, str(value).lower() if isinstance(value, bool) else value


def _flatten(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield plain values, also of one level of objects. Google has no parameter for deeper objects
    and lists."""
    for name, value in properties.items():
        if isinstance(value, Mapping) and not prefix:
            yield from _flatten(value, f"{name}_")
        elif isinstance(value, str) or to_number(value) is not None or isinstance(value, bool):
            yield f"{prefix}{name}", value
