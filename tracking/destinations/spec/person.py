"""The person and the visit: an Event in, a Person and a Visit out, and the values that advertisers
hash.

Sources: "Customer Information Parameters", Meta
(https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters),
for the normalisation before SHA-256; "fbp and fbc Parameters", in the same place, for the form
`fb.<subdomain index>.<milliseconds>.<fbclid>`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tracking.destinations.spec.coerce import as_object, text
from tracking.events import Event

CLICKS = ("fbclid", "gclid", "ttclid", "fbp", "fbc", "ttp")
HASHED = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The values as the sender wrote them. `external_ids` are the known user's id and the browser's
    id."""

    email: str
    phone: str
    first_name: str
    last_name: str
    city: str
    region: str
    postal_code: str
    country: str
    external_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The browser's visit. `ip` is a valid address or empty; `url` is an http or https URL or
    empty."""

    ip: str
    user_agent: str
    url: str
    referrer: str
    title: str
    locale: str


def read_person(event: Event) -> Person:
    """Return the person, from the traits, else the order's contact, else the event's own
    properties."""
    traits, properties = event.traits, event.properties
    contact = as_object(as_object(properties.get("transaction")).get("contactInfo"))
    known = {**_filled(properties, "email", "phone"), **contact, **as_object(traits.get("address"))}
    known |= {name: value for name, value in traits.items() if value}
    return Person(
        email=text(known, "email") or first(known.get("emails")) or event.email_hash,
        phone=text(known, "phone") or first(known.get("phones")),
        first_name=text(known, "firstName", "first_name", "firstname"),
        last_name=text(known, "lastName", "last_name", "lastname"),
        city=text(known, "city"),
        region=text(known, "state", "region"),
        postal_code=text(known, "postalCode", "postal_code", "zip"),
        country=text(known, "country", "countryCode"),
        external_ids=tuple(filter(None, (event.user_id, event.anonymous_id))),
    )


def read_visit(event: Event) -> Visit:
    context, properties = event.context, event.properties
    page = {**as_object(properties.get("page")), **as_object(context.get("page"))}
    if event.type == "page":
        page |= _filled(properties, "url", "referrer", "title")
    url = text(page, "url")
    return Visit(
        ip=read_ip(context.get("ip")) or read_ip(event.ip),
        user_agent=text(context, "userAgent") or event.user_agent,
        url=url if url.startswith(("http://", "https://")) else "",
        referrer=text(page, "referrer"),
        title=text(page, "title"),
        locale=text(context, "locale"),
    )


def read_ip(value: Any) -> str:
    """Return the address in canonical spelling; "" if the value is not an address."""
    try:
        return str(ipaddress.ip_address(str(value or "").strip()))
    except ValueError:
        return ""


def read_clicks(event: Event) -> dict[str, str]:
    """Return advertisers' click ids and cookies by name, from the first of: the hit's options, the
    event, the campaign, the context, the traits, the page's address."""
    campaign, query = as_object(event.context.get("campaign")), _query(read_visit(event).url)
    sources = (event.options, event.properties, campaign, event.context, event.traits, query)
    places = [place for place in sources if place]
    clicks = {}
    for name in CLICKS:
        for place in places:
            if value := text(place, name, f"_{name}"):
                clicks[name] = value
                break
    return clicks


def make_fbc(clicks: Mapping[str, str], event: Event) -> str:
    """Return Meta's click cookie: the browser's own, else one made from the click id."""
    clicked = clicks.get("fbclid", "")
    made = f"fb.1.{int(event.occurred_at.timestamp() * 1000)}.{clicked}" if clicked else ""
    return clicks.get("fbc") or made


def hash_text(value: str) -> str:
    """Return SHA-256 in lower-case hexadecimal. A value that is a digest already is kept."""
    if not value or HASHED.fullmatch(value.lower()):
        return value.lower()
    return hashlib.sha256(value.encode()).hexdigest()


def plain_email(value: str) -> str:
    """Return the address trimmed and in lower case; "" if the value is neither an address nor a
    digest."""
    address = value.strip().lower()
    return address if "@" in address or HASHED.fullmatch(address) else ""


def plain_phone(value: str) -> str:
    """Return the digits without leading zeros; "" if they are too few or too many for a phone
    number.

    A country code that the sender left out cannot be added.
    """
    if HASHED.fullmatch(value.strip().lower()):
        return value.strip().lower()
    digits = re.sub(r"[^0-9]", "", value).lstrip("0")
    return digits if 7 <= len(digits) <= 15 else ""


def plain_name(value: str) -> str:
    """Return the name in lower case, without punctuation."""
    kept = (c for c in value.strip().lower() if not unicodedata.category(c).startswith("P"))
    return "".join(kept).strip()


def plain_place(value: str) -> str:
    """Return the lower-case letters of a city or region, without spaces."""
    return "".join(c for c in value.lower() if c.isalpha() or unicodedata.combining(c))


def plain_postal_code(value: str) -> str:
    """Return the code in lower case, without spaces and dashes; of a US ZIP+4 only the first five
    digits."""
    code = re.sub(r"\s", "", value.lower())
    return code[:5] if re.fullmatch(r"\d{5}-\d{4}", code) else code.replace("-", "")


def plain_country(value: str) -> str:
    """Return the two letters of ISO 3166-1 in lower case; "" for anything else."""
    code = value.strip().lower()
    return code if re.fullmatch(r"[a-z]{2}", code) else ""


def first(value: Any) -> str:
    """Return the first text of a list; "" if there is none."""
    listed = value if isinstance(value, list) else [value]
    return next((each for each in listed if isinstance(each, str)), "")


def _query(url: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        return {}


def _filled(raw: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: text(raw, name) for name in names if text(raw, name)}
