"""TikTok's events: an Event in, its name, `user` and `properties` out.

Sources: "About supported standard events in TikTok Ads Manager"
(https://ads.tiktok.com/help/article/supported-standard-events), and the fields that
segmentio/action-destinations (tiktok-conversions) sends, for the hashed fields and their
normalisation.
"""

from __future__ import annotations

from typing import Any

from tracking.destinations.spec import person
from tracking.destinations.spec.browsing import read_search
from tracking.destinations.spec.ecommerce import read_sale, worth
from tracking.destinations.spec.event_names import meaning
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.person import hash_text, read_clicks, read_person, read_visit
from tracking.events import Event

#: The catalogue's name → TikTok's name.
EVENTS = {
    "Viewed Product Detail": "ViewContent",
    "Searched Products": "Search",
    "Added Product": "AddToCart",
    "Added Product to Wishlist": "AddToWishlist",
    "Started Order": "InitiateCheckout",
    "Added Payment Info": "AddPaymentInfo",
    "Completed Transaction": "Purchase",
    "Registered": "CompleteRegistration",
    "Lead": "Lead",
    "Subscribed": "Subscribe",
}


def user(event: Event) -> dict[str, Any]:
    """Return TikTok's `user`. A phone number is hashed with its plus sign, a name without spaces;
    places are not hashed."""
    who, visit, clicks = read_person(event), read_visit(event), read_clicks(event)
    phone = person.plain_phone(who.phone)
    numbered = f"+{phone}" if phone and not person.HASHED.fullmatch(phone) else phone
    return filled(
        {
            "external_id": [hash_text(each) for each in who.external_ids],
            "email": hash_text(person.plain_email(who.email)),
            "phone": hash_text(numbered),
            "first_name": hash_text(person.plain_name(who.first_name).replace(" ", "")),
            "last_name": hash_text(person.plain_name(who.last_name).replace(" ", "")),
            "city": person.plain_place(who.city),
            "state": person.plain_place(who.region),
            "country": person.plain_country(who.country),
            "zip_code": hash_text(person.plain_postal_code(who.postal_code)),
            "ip": visit.ip,
            "user_agent": visit.user_agent,
            "locale": visit.locale,
            "ttclid": clicks.get("ttclid"),
            "ttp": clicks.get("ttp"),
        }
    )


def properties(event: Event) -> dict[str, Any]:
    sale = read_sale(event)
    contents = [
        filled(
            {
                "content_id": item.id or item.sku,
                "content_name": item.name,
                "content_category": "/".join(item.categories),
                "brand": item.brand,
                "price": item.price,
                "quantity": item.quantity,
            }
        )
        for item in sale.items
        if item.sku or item.id
    ]
    return filled(
        {
            "currency": sale.currency,
            "value": worth(sale) if sale.currency else None,
            "content_type": "product" if contents else "",
            "contents": contents,
            "order_id": sale.order_id,
            "query": read_search(event) if EVENTS.get(meaning(event)) == "Search" else "",
        }
    )
