"""Meta's events: an Event in, its name, user_data (hashed) and custom_data out.

Source: "Customer Information Parameters"
(https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters),
"Best Practices", section "Baseline requirements for matching" (sets that match nobody), "Meta Pixel
Reference", section "Standard Events", and "Custom Data Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from tracking.destinations.spec import person
from tracking.destinations.spec.browsing import find_search, read_search
from tracking.destinations.spec.ecommerce import Sale, read_sale, worth
from tracking.destinations.spec.event_names import meaning
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import (
    JSON_NAMES,
    NO_SENTENCE,
    LeftOut,
    Rule,
    is_below,
    without,
)
from tracking.destinations.spec.origins import Path, is_listed, sender_values
from tracking.destinations.spec.person import (
    Person,
    hash_text,
    make_fbc,
    read_clicks,
    read_person,
    read_visit,
)
from tracking.destinations.spec.person_omissions import PersonRules, person_left_out
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
#: The fields of `custom_data` that mean something to Meta.
FIELDS = frozenset(
    {
        *("currency", "value", "content_type", "content_ids", "contents", "content_name"),
        *("content_category", "num_items", "order_id", "search_string", "predicted_ltv", "status"),
        *("delivery_category", "net_revenue", "item_number"),
    }
)
#: Meta's field of a person → the field of a Person.
PERSON_FIELDS = {
    "em": "email",
    "ph": "phone",
    "fn": "first_name",
    "ln": "last_name",
    "ct": "city",
    "st": "region",
    "zp": "postal_code",
    "country": "country",
}
#: Meta refuses an event whose fields are all within one of these sets.
TOO_LITTLE = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)


PARAMETERS = "https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters"
CUSTOM, CUSTOM_URL = "Conversions API, Standard Parameters", f"{PARAMETERS}/custom-data"
PAGE = "Conversions API, Customer Information Parameters"
URL = f"{PARAMETERS}/customer-information-parameters"
OWN = Rule(
    "meta_own",
    _("Meta has no field for it; own properties are sent only with the option custom properties."),
    CUSTOM,
    CUSTOM_URL,
    "This table lists all standard parameters users can send to Meta.",
)
NOT_PLAIN = Rule(
    "meta_not_plain",
    _(
        "Of own properties the plain values are sent, of an object its first level, of a list"
        " nothing."
    ),
    "Conversion Tracking, section Custom Properties: names with plain values in the examples",
    "https://developers.facebook.com/documentation/meta-pixel/implementation/conversion-tracking",
    NO_SENTENCE,
)
TAKEN = Rule(
    "meta_taken", _("Meta's own field, or an earlier property, has the same name."), *JSON_NAMES
)
PERSONAL = Rule(
    "meta_personal",
    _("Meta takes personal data hashed in its own fields only, and has none for this."),
    PAGE,
    URL,
    "Our systems are designed to not accept customer information that is unhashed Contact"
    " Information, unless noted below.",
)
EMAIL = Rule("meta_email", _("The value is no e-mail address."), f"{PAGE}, em", URL, NO_SENTENCE)
PHONE = Rule(
    "meta_phone",
    _(
        "The value is no phone number with a country code; set a default country for national"
        " numbers."
    ),
    f"{PAGE}, ph",
    URL,
    "Phone numbers must include a country code to be used for matching (e.g., the number 1 must"
    " precede a phone number in the United States).",
)
COUNTRY = Rule(
    "meta_country",
    _("The value is no country of ISO 3166-1."),
    f"{PAGE}, country",
    URL,
    "Use the lowercase, 2-letter country codes in ISO 3166-1 alpha-2.",
)
RULES = (OWN, NOT_PLAIN, TAKEN, PERSONAL, EMAIL, PHONE, COUNTRY)
PERSON_RULES = PersonRules(personal=PERSONAL, email=EMAIL, phone=PHONE, country=COUNTRY)
#: Keys under which persons are described: never sent as custom properties.
PERSONS = frozenset({"email", "emails", "phone", "phones", "contactInfo"})


def user_data(event: Event, default_country: str = "") -> dict[str, Any]:
    """Return Meta's `user_data`. `default_country` are the two letters for phone numbers."""
    who, visit, clicks = read_person(event), read_visit(event), read_clicks(event)
    hashed = plain_person(who, default_country)
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


def plain_person(who: Person, default_country: str) -> dict[str, str]:
    """Return what is hashed, in Meta's form."""
    country = person.country_of(who, default_country)
    return {
        "em": person.plain_email(who.email),
        "ph": person.plain_phone(who.phone, country),
        "fn": person.plain_name(who.first_name),
        "ln": person.plain_name(who.last_name),
        "ct": person.plain_place(who.city),
        "st": person.plain_region(who.region, country),
        "zp": person.plain_postal_code(who.postal_code),
        "country": person.plain_country(who.country),
    }


def is_matchable(data: dict[str, Any]) -> bool:
    return not any(data.keys() <= few for few in TOO_LITTLE)


def custom_data(event: Event, *, own: bool = False, lost: LeftOut | None = None) -> dict[str, Any]:
    """Return Meta's `custom_data`: its own fields and, if `own`, the sender's properties. The
    values that it lacks are added to `lost`."""
    sale, name = read_sale(event), EVENTS.get(meaning(event), "")
    goods = [item for item in sale.items if item.sku or item.id]
    pieces = sum(item.quantity or 1 for item in goods)
    contents = [
        filled({"id": i.id or i.sku, "quantity": i.quantity or 1, "item_price": i.price})
        for i in goods
    ]
    only = goods[0] if len(goods) == 1 else None
    data = filled(
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
    sent = sent_paths(event, sale, data)
    if own:
        _add_own(event, data, sent, lost)
    elif lost is not None:
        lost.update({path: OWN for path in without(event, sent, OWN) if path[0] == "properties"})
    return data


def sent_paths(event: Event, sale: Sale, data: Mapping[str, Any]) -> set[Path]:
    """Return where the values of Meta's own fields were read."""
    goods = [item for item in sale.items if item.sku or item.id]
    paths = {sale.origins.get("order_id")}
    if sale.currency:
        paths |= {sale.origins.get("currency")}
        paths |= {sale.origins.get("revenue" if sale.total is None else "total")}
    for item in goods:
        fields = {"id" if item.id else "sku", "quantity", "price"}
        fields |= {"name", "categories"} if len(goods) == 1 else set()
        fields |= {"currency"} if item.currency == sale.currency else set()
        paths |= {item.origins.get(field) for field in fields}
    if "search_string" in data:
        paths.add(find_search(event).origins.get("term"))
    visit = read_visit(event)
    if visit.url:
        paths.add(visit.origins.get("url"))
    clicks = read_clicks(event)
    for name in ("fbclid", "fbc", "fbp"):
        paths |= {
            ("properties", key)
            for key in (name, f"_{name}")
            if name in clicks and event.properties.get(key) == clicks[name]
        }
    return {path for path in paths if path}


def _add_own(event: Event, data: dict[str, Any], sent: set[Path], lost: LeftOut | None) -> None:
    """Add the properties that no field of Meta carries, under their names joined by `_`."""
    missing: LeftOut = {}
    for path, value in sender_values(event):
        name = "_".join(path[1:])
        if path[0] != "properties" or is_below(path, sent):
            continue
        if PERSONS & set(path):
            missing[path] = PERSONAL
        elif is_listed(event.properties, path[1:]) or len(path) > 3 or value in (None, [], {}):
            missing[path] = NOT_PLAIN
        elif name in data or name in FIELDS:
            missing[path] = TAKEN
        else:
            data[name] = value
    if lost is not None:
        lost.update(missing)


def left_out_of(event: Event, default_country: str, *, own: bool) -> LeftOut:
    """Return what Meta does not get of the event."""
    lost: LeftOut = {}
    custom_data(event, own=own, lost=lost)
    who = read_person(event)
    plain = plain_person(who, default_country)
    sent = {field for name, field in PERSON_FIELDS.items() if plain[name]}
    known = {who.origins[field] for field in sent if field in who.origins}
    lost = {path: rule for path, rule in lost.items() if path not in known}
    return lost | person_left_out(event, who, sent, default_country, PERSON_RULES)
