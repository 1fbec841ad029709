"""Google Analytics 4's events: an Event in, its name and parameters within Google's limits out.

Source: "Recommended events"
(https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events), the
tables of each event; "Measurement Protocol reference", sections "Common event parameters" and
"Reserved names".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracking.destinations.spec.coerce import to_number
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import LeftOut
from tracking.destinations.spec.origins import once
from tracking.destinations.spec.person import read_visit
from tracking.destinations.vendors.google_analytics.limits import (
    LONGER,
    MAX_VALUE,
    event_name,
    limit,
    trim,
)
from tracking.destinations.vendors.google_analytics.own_parameters import OwnParameters
from tracking.destinations.vendors.google_analytics.standard_parameters import read_standard
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
#: The field of a Visit → Google's parameter.
PAGE = {"url": "page_location", "title": "page_title", "referrer": "page_referrer"}
MONEY = frozenset({"purchase", "refund"})


@dataclass(frozen=True, slots=True)
class GoogleEvent:
    """An event as it is sent to Google. `unfit` is the reason why it cannot be sent, else empty."""

    name: str
    params: dict[str, Any]
    unfit: str = ""


@once
def google_event(event: Event) -> GoogleEvent:
    """Return the event under Google's name, else under its own name."""
    return build(event, None)


def build(event: Event, lost: LeftOut | None) -> GoogleEvent:
    """Return the event as it is sent.

    Its parameters are, in this order and up to Google's number of them: the time and the session,
    those that Google recommends for the event, the page, and the sender's own properties in the
    sender's order. What is left out is added to `lost`.
    """
    own_words = trim(own_name(event)).strip("_").lower()
    name, fields = EVENTS.get(meaning(event)) or BY_OWN_NAME.get(own_words, ("", ()))
    standard = read_standard(event, fields)
    lacks = [field for field in REQUIRED.get(name, ()) if field not in standard.params]
    if lacks and (name in MONEY or name == own_words):
        return GoogleEvent(
            "", {}, f"Google Analytics accepts {name} only with {' and '.join(lacks)}."
        )
    if lacks or not name:
        name, standard = event_name(own_words), read_standard(event, ())
    if not name:
        return GoogleEvent("", {}, "Google Analytics does not allow the event's name.")
    visit, common = read_visit(event), _common_params(event)
    page = {param: getattr(visit, field) for field, param in PAGE.items()}
    params = filled({**common, **standard.params, **page})
    sent = dict.fromkeys(standard.paths, MAX_VALUE)
    for field, param in PAGE.items():
        if param in params and field in visit.origins:
            sent[visit.origins[field]] = LONGER[param]
    own = OwnParameters(sent, standard.items, lost, is_googles=name in BY_OWN_NAME)
    own.add_to(event, params)
    return GoogleEvent(name, limit(params))


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
        "timestamp_micros": int(event.occurred_at.timestamp() * 1_000_000),
        "session_id": str(session) if session else "",
        "engagement_time_msec": None if quiet else engaged,
    }
