"""TikTok's events: an Event in, its name, `user` and `properties` out.

Sources: "About supported standard events in TikTok Ads Manager"
(https://ads.tiktok.com/help/article/supported-standard-events: names, and `query` of a search), and
"Events API Parameters" (https://business-api.tiktok.com/portal/docs/parameters/v1.3), which shows
its text to browsers only, through what others read there in August and September 2026: email,
phone, external_id, first_name, last_name and zip_code are hashed by SHA-256, city, state and
country are not; properties has content_ids, contents, content_type, currency, value, num_items,
search_string, description, order_id, shop_id and customer_type. How names are normalised before
they are hashed is known from segmentio/action-destinations (tiktok-conversions).
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from tracking.destinations.spec import person
from tracking.destinations.spec.browsing import find_search
from tracking.destinations.spec.coerce import text
from tracking.destinations.spec.ecommerce import Sale, read_sale, worth
from tracking.destinations.spec.event_names import meaning
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import NO_PAGE, LeftOut, Rule, without
from tracking.destinations.spec.origins import Path
from tracking.destinations.spec.person import (
    Person,
    hash_text,
    read_clicks,
    read_person,
    read_visit,
)
from tracking.destinations.spec.person_omissions import PersonRules, person_left_out
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


PAGE, URL = "Events API Parameters", "https://business-api.tiktok.com/portal/docs/parameters/v1.3"
OWN = Rule(
    "tiktok_own",
    _("TikTok has no field for it."),
    f"{PAGE}: the fields of properties and contents",
    URL,
    NO_PAGE,
)
PERSONAL = Rule(
    "tiktok_personal",
    _("TikTok takes personal data in its own fields only, and has none for this."),
    f"{PAGE}: the fields of user",
    URL,
    NO_PAGE,
)
EMAIL = Rule("tiktok_email", _("The value is no e-mail address."), f"{PAGE}: email", URL, NO_PAGE)
PHONE = Rule(
    "tiktok_phone",
    _(
        "The value is no phone number with a country code; set a default country for national"
        " numbers."
    ),
    f"{PAGE}: phone, in E.164 form",
    URL,
    NO_PAGE,
)
COUNTRY = Rule(
    "tiktok_country",
    _("The value is no country of ISO 3166-1."),
    f"{PAGE}: country, two letters",
    URL,
    NO_PAGE,
)
RULES = (OWN, PERSONAL, EMAIL, PHONE, COUNTRY)
PERSON_RULES = PersonRules(personal=PERSONAL, email=EMAIL, phone=PHONE, country=COUNTRY)
#: TikTok's field of a person → the field of a Person, hashed and not.
HASHED = {
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "zip_code": "postal_code",
}
PLAIN = {"city": "city", "state": "region", "country": "country"}
#: TikTok's field of a product → the field of a LineItem.
CONTENT_FIELDS = {
    "content_name": "name",
    "content_category": "categories",
    "brand": "brand",
    "price": "price",
    "quantity": "quantity",
}
#: Fields that senders use under TikTok's own names.
SAME = ("description", "shop_id")


def user(event: Event, default_country: str = "") -> dict[str, Any]:
    """Return TikTok's `user`. A phone number is hashed with its plus sign, a name without spaces;
    places are not hashed. `default_country` are the two letters for phone numbers."""
    who, visit, clicks = read_person(event), read_visit(event), read_clicks(event)
    values = plain_person(who, default_country)
    return filled(
        {
            "external_id": [hash_text(each) for each in who.external_ids],
            **{name: hash_text(values[name]) for name in HASHED},
            **{name: values[name] for name in PLAIN},
            "ip": visit.ip,
            "user_agent": visit.user_agent,
            "locale": visit.locale,
            "ttclid": clicks.get("ttclid"),
            "ttp": clicks.get("ttp"),
        }
    )


def plain_person(who: Person, default_country: str) -> dict[str, str]:
    """Return the fields of the person in TikTok's form, before they are hashed."""
    country = person.country_of(who, default_country)
    phone = person.plain_phone(who.phone, country)
    return {
        "email": person.plain_email(who.email),
        "phone": f"+{phone}" if phone and not person.HASHED.fullmatch(phone) else phone,
        "first_name": person.plain_name(who.first_name).replace(" ", ""),
        "last_name": person.plain_name(who.last_name).replace(" ", ""),
        "zip_code": person.plain_postal_code(who.postal_code),
        "city": person.plain_place(who.city),
        "state": person.plain_region(who.region, country),
        "country": person.plain_country(who.country),
    }


def properties(event: Event) -> dict[str, Any]:
    """Return TikTok's `properties`. A search term has both of its names: pages of TikTok differ in
    which of them they state."""
    sale, search = read_sale(event), find_search(event).term if _is_search(event) else ""
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
            "content_ids": [content["content_id"] for content in contents],
            "contents": contents,
            "order_id": sale.order_id,
            **dict.fromkeys(("query", "search_string"), search),
            **{name: text(event.properties, name) for name in SAME},
        }
    )


def left_out_of(event: Event, default_country: str) -> LeftOut:
    """Return what TikTok does not get of the event."""
    who = read_person(event)
    values = plain_person(who, default_country)
    sent = {field for name, field in {**HASHED, **PLAIN}.items() if values[name]}
    paths = _sent_paths(event, read_sale(event))
    paths |= {who.origins[field] for field in sent if field in who.origins}
    lost = {path: OWN for path in without(event, paths, OWN) if path[0] == "properties"}
    return lost | person_left_out(event, who, sent, default_country, PERSON_RULES)


def _is_search(event: Event) -> bool:
    return EVENTS.get(meaning(event)) == "Search"


def _sent_paths(event: Event, sale: Sale) -> set[Path]:
    """Return where the values of TikTok's own fields were read."""
    paths = {sale.origins.get("order_id")} | {("properties", name) for name in SAME}
    if sale.currency:
        paths |= {sale.origins.get("currency")}
        paths |= {sale.origins.get("revenue" if sale.total is None else "total")}
    for item in sale.items:
        if item.id or item.sku:
            fields = {"id" if item.id else "sku", *CONTENT_FIELDS.values()}
            fields |= {"currency"} if item.currency == sale.currency else set()
            paths |= {item.origins.get(field) for field in fields}
    if _is_search(event):
        paths.add(find_search(event).origins.get("term"))
    clicks = read_clicks(event)
    for name in ("ttclid", "ttp"):
        for key in (name, f"_{name}"):
            if name in clicks and event.properties.get(key) == clicks[name]:
                paths.add(("properties", key))
    visit = read_visit(event)
    paths |= {visit.origins.get(field) for field in ("url", "referrer")}
    return {path for path in paths if path}
