"""Meta's events: an Event in, its name, user_data (hashed) and custom_data out.

Source: "Customer Information Parameters"
(https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters),
"Best Practices", section "Baseline requirements for matching" (sets that match nobody), "Meta Pixel
Reference", section "Standard Events", and "Custom Data Parameters".
"""

from __future__ import annotations

from typing import Any

from tracking.destinations.spec import person
from tracking.destinations.spec.browsing import read_search
from tracking.destinations.spec.ecommerce import read_sale, worth
from tracking.destinations.spec.event_names import meaning
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.person import (
    hash_text,
    make_fbc,
    read_clicks,
    read_person,
    read_visit,
)
from tracking.events import Event

#: The catalogue's name → Meta's name.
EVENTS = {
    "Viewed Page": "PageView",
    "Viewed Product Detail": "ViewContent",
    "Searched Products": "Search",
    "Added Product": "AddToCart",
    "Added Product to Wishlist": "AddToWishlist",
    "Started Order": "InitiateCheckout",
    "Added Payment Info": "AddPaymentInfo",
    "Completed Transaction": "Purchase",
    "Registered": "CompleteRegistration",
    "Lead": "Lead",
}
#: Meta refuses an event whose fields are all within one of these sets.
TOO_LITTLE = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)


def user_data(event: Event) -> dict[str, Any]:
    who, visit, clicks = read_person(event), read_visit(event), read_clicks(event)
    hashed = {
        "em": person.plain_email(who.email),
        "ph": person.plain_phone(who.phone),
        "fn": person.plain_name(who.first_name),
        "ln": person.plain_name(who.last_name),
        "ct": person.plain_place(who.city),
        "st": person.plain_place(who.region),
        "zp": person.plain_postal_code(who.postal_code),
        "country": person.plain_country(who.country),
    }
    return filled(
        {
            **{name: [hash_text(value)] for name, value in hashed.items() if value},
            "external_id": [hash_text(each) for each in who.external_ids],
            "client_ip_address": visit.ip,
            "client_user_agent": visit.user_agent,
            "fbc": make_fbc(clicks, event),
            "fbp": clicks.get("fbp"),
        }
    )


def is_matchable(data: dict[str, Any]) -> bool:
    return not any(data.keys() <= few for few in TOO_LITTLE)


def custom_data(event: Event) -> dict[str, Any]:
    sale, name = read_sale(event), EVENTS.get(meaning(event), "")
    goods = [item for item in sale.items if item.sku or item.id]
    pieces = sum(item.quantity or 1 for item in goods)
    contents = [
        filled({"id": i.id or i.sku, "quantity": i.quantity, "item_price": i.price}) for i in goods
    ]
    only = goods[0] if len(goods) == 1 else None
    return filled(
        {
            "currency": sale.currency,
            "value": worth(sale) if sale.currency else None,
            "content_type": "product" if goods else "",
            "content_ids": [item.id or item.sku for item in goods],
            "contents": contents,
            "content_name": only.name if only else "",
            "content_category": "/".join(only.categories) if only else "",
            "num_items": pieces if name == "InitiateCheckout" and goods else None,
            "order_id": sale.order_id,
            "search_string": read_search(event) if name == "Search" else "",
        }
    )
