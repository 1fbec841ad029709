"""Each event of the catalogue with every property that its page names, as a hit of `POST /track`.

Each value occurs once in its hit, so that it can be found again in the request to a vendor.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tracking.destinations.spec.event_names import CATALOGUE
from tracking.events import Event

#: Kinds of values: a text, a number, true, a currency.
TEXT, NUMBER, TRUE, CURRENCY = "text", "number", "true", "currency"

PRODUCT: dict[str, Any] = {
    **dict.fromkeys(("id", "skuCode", "name", "manufacturer", "url", "imageUrl", "color"), TEXT),
    **dict.fromkeys(("unitSalePrice", "unitPrice", "stock"), NUMBER),
    "currency": CURRENCY,
    "category": [TEXT, TEXT],
    "voucher": TEXT,
}
LINE = {"product": PRODUCT, "quantity": NUMBER, "subtotal": NUMBER}
CART: dict[str, Any] = {
    "id": TEXT,
    "currency": CURRENCY,
    **dict.fromkeys(("subtotal", "total", "tax", "shippingCost", "voucherDiscount"), NUMBER),
    **dict.fromkeys(("shippingMethod", "paymentMethod"), TEXT),
    "vouchers": [TEXT],
    "lineItems": [LINE],
}
TRANSACTION = {
    **CART,
    "orderId": TEXT,
    **dict.fromkeys(("isFirst", "isReturning"), TRUE),
    "status": TEXT,
    "contactInfo": {"email": TEXT, "phone": TEXT},
}
LISTING = {
    **dict.fromkeys(("listId", "listName", "query", "sortBy", "layout"), TEXT),
    "resultCount": NUMBER,
    "items": [PRODUCT],
}
LIST_ITEM = {"product": PRODUCT, "listId": TEXT, "listName": TEXT, "position": NUMBER}
CAMPAIGN = dict.fromkeys(("id", "name", "description", "category", "design", "position"), TEXT)
EXPERIMENT = dict.fromkeys(("id", "name", "variationId", "variationName"), TEXT)
PAGE = dict.fromkeys(("type", "category", "name", "path", "title", "referrer"), TEXT)
USER: dict[str, Any] = {
    **dict.fromkeys(("email", "phone", "firstName", "lastName", "plan"), TEXT),
    "address": dict.fromkeys(("city", "state", "postalCode", "country"), TEXT),
}
#: Properties of an event beside those that every event may have.
PROPERTIES: dict[str, dict[str, Any]] = {
    "Viewed Page": {"page": PAGE},
    "Viewed Product Detail": {"product": PRODUCT},
    "Viewed Product Listing": {"listing": LISTING},
    "Searched Products": {"listing": LISTING},
    "Viewed Product": {"listItems": [LIST_ITEM]},
    "Clicked Product": {"listItem": LIST_ITEM},
    "Added Product": {"product": PRODUCT, "quantity": NUMBER},
    "Removed Product": {"product": PRODUCT, "quantity": NUMBER},
    "Added Product to Wishlist": {"product": PRODUCT},
    "Removed Product from Wishlist": {"product": PRODUCT},
    "Updated Cart": {"cart": CART},
    "Viewed Cart": {"cart": CART},
    "Started Order": {"cart": CART},
    "Viewed Checkout Step": {"step": NUMBER, "option": TEXT},
    "Completed Checkout Step": {"step": NUMBER, "option": TEXT},
    "Added Payment Info": {"cart": CART},
    "Completed Transaction": {"transaction": TRANSACTION},
    "Updated Transaction": {"transaction": TRANSACTION},
    "Refunded Transaction": {"transaction": TRANSACTION},
    "Viewed Campaign": {"campaigns": [CAMPAIGN]},
    "Clicked Campaign": {"campaign": CAMPAIGN},
    "Viewed Experiment": {"experiment": EXPERIMENT},
}
EVERY = {"label": TEXT, "action": TEXT, "value": NUMBER}
ABOUT_USERS = {"Registered", "Logged In", "Subscribed", "Unsubscribed", "Updated Profile Info"}
#: Values that a vendor takes only in a form of their own.
FORMS = {
    "email": "jane@example.com",
    "phone": "+46 70 123 45 67",
    "country": "Sweden",
    "state": "Gotland",
    "city": "Visby",
}


def events() -> Iterator[Event]:
    """Yield one event of each name of the catalogue."""
    for number, name in enumerate(CATALOGUE):
        counter = itertools.count(1_001)
        properties = fill({**EVERY, **PROPERTIES.get(name, {})}, counter)
        user = fill(USER, counter) if name in ABOUT_USERS else {}
        yield make(number, name, properties, user)


def make(number: int, name: str, properties: Mapping[str, Any], user: Mapping[str, Any]) -> Event:
    moment = datetime(2026, 11, 24, 10, 56, 10, tzinfo=UTC)
    page = {"url": "https://shop.example/boots", "title": "Boots"}
    return Event(
        id=UUID(int=0x01968A3C_5B1F_7C3E_8A55_000000000000 + number),
        hit_id=f"hit-{number}",
        type="track",
        name=name,
        user_id="user-1",
        anonymous_id="browser-1",
        email_hash="",
        sent_at=moment,
        received_at=moment,
        occurred_at=moment,
        clock="sent",
        ip="203.0.113.7",
        user_agent="Mozilla/5.0",
        payload={
            "event": {**properties, "name": name, "user": user},
            "context": {"page": page},
        },
    )


def fill(kind: Any, numbers: Iterator[int], key: str = "") -> Any:
    """Return a value of the kind; texts end with a number of their own."""
    if isinstance(kind, dict):
        return {name: fill(each, numbers, name) for name, each in kind.items()}
    if isinstance(kind, list):
        return [fill(each, numbers, key) for each in kind]
    if kind == TEXT:
        return FORMS.get(key) or f"{key}-{next(numbers)}"
    return {NUMBER: next(numbers), TRUE: True, CURRENCY: "SEK"}[kind]
