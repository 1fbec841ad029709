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
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tracking.destinations.spec.coerce import as_object, plain, text
from tracking.destinations.spec.ids import browser_of, user_of
from tracking.destinations.spec.iso import country_code, state_code
from tracking.destinations.spec.origins import Origins, Place, once, properties_of, traits_of
from tracking.events import Event

CLICKS = ("fbclid", "gclid", "ttclid", "fbp", "fbc", "ttp")
CLICK_KEYS = frozenset({*CLICKS, *(f"_{name}" for name in CLICKS)})
HASHED = re.compile(r"[0-9a-f]{64}")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The values as the sender wrote them. `external_ids` are the known user's id and the browser's
    id, as far as they identify anybody."""

    email: str
    phone: str
    first_name: str
    last_name: str
    title: str
    image: str
    city: str
    region: str
    postal_code: str
    country: str
    external_ids: tuple[str, ...]
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


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
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


@once
def read_person(event: Event) -> Person:
    """Return the person, from the traits, else the order's contact, else the event's own
    properties. An e-mail address or phone number that is none gives way to the next."""
    origins, traits, properties = Origins(), traits_of(event), properties_of(event)
    contact = properties.inside("transaction").inside("contactInfo")
    known = [each for each in (traits, traits.inside("address"), contact) if each.raw]
    anywhere = [*known, properties]
    email = origins.first("email", anywhere, ("email", "emails"), _email_in)
    return Person(
        email=email or event.email_hash,
        phone=origins.first("phone", anywhere, ("phone", "phones"), _phone_in) or "",
        first_name=origins.text("first_name", known, "firstName", "first_name", "firstname"),
        last_name=origins.text("last_name", known, "lastName", "last_name", "lastname"),
        title=origins.text("title", [traits], "title"),
        image=origins.text("image", [traits], "avatar"),
        city=origins.text("city", known, "city"),
        region=origins.text("region", known, "state", "region"),
        postal_code=origins.text("postal_code", known, "postalCode", "postal_code", "zip"),
        country=origins.text("country", known, "country", "countryCode"),
        external_ids=tuple(filter(None, (user_of(event), browser_of(event)))),
        origins=origins,
    )


def country_of(person: Person, default: str) -> str:
    """Return the two letters of the person's country in capitals; without one the default."""
    return country_code(person.country) or default


@once
def read_visit(event: Event) -> Visit:
    context, properties, origins = event.context, properties_of(event), Origins()
    page = [Place(("context", "page"), as_object(context.get("page"))), properties.inside("page")]
    pages = [properties, *page] if event.type == "page" else page
    url = origins.text("url", pages, "url")
    return Visit(
        ip=read_ip(context.get("ip")) or read_ip(event.ip),
        user_agent=text(context, "userAgent") or event.user_agent,
        url=url if url.startswith(("http://", "https://")) else "",
        referrer=origins.text("referrer", pages, "referrer"),
        title=origins.text("title", pages, "title"),
        locale=text(context, "locale"),
        origins=origins,
    )


def read_ip(value: Any) -> str:
    """Return the address in canonical spelling; "" if the value is not an address."""
    try:
        return str(ipaddress.ip_address(str(value or "").strip()))
    except ValueError:
        return ""


@once
def read_clicks(event: Event) -> dict[str, str]:
    """Return advertisers' click ids and cookies by name, from the first of: the hit's options, the
    event, the campaign, the context, the traits, the page's address."""
    campaign, query = as_object(event.context.get("campaign")), _query(read_visit(event).url)
    sources = (event.options, event.properties, campaign, event.context, event.traits, query)
    places = [place for place in sources if not CLICK_KEYS.isdisjoint(place)]
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


@lru_cache(maxsize=1_024)
def plain_email(value: str) -> str:
    """Return the address trimmed and in lower case; "" if the value is neither an address nor a
    digest."""
    address = value.strip().lower()
    if HASHED.fullmatch(address):
        return address
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


@lru_cache(maxsize=1_024)
def plain_phone(value: str, country: str = "") -> str:
    """Return the digits of the number in E.164 form, without plus sign and extension; a digest as
    it is; "" if the value is no whole number.

    `country` are the two letters for numbers without a country code. Without it they are left out:
    their digits would be those of somebody else.
    """
    text = value.strip()
    if HASHED.fullmatch(text.lower()):
        return text.lower()
    # The international prefix of most countries, whatever the sender's own is.
    text = f"+{text[2:]}" if text.startswith("00") else text
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    # A national number that no network of the country has is one of another country.
    is_whole = text.startswith("+") and phonenumbers.is_possible_number(number)
    if not is_whole and not phonenumbers.is_valid_number(number):
        return ""
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written[1:] if E164.fullmatch(written) else ""


def plain_name(value: str) -> str:
    """Return the name in lower case, without punctuation."""
    kept = (c for c in value.strip().lower() if not unicodedata.category(c).startswith("P"))
    return "".join(kept).strip()


def plain_place(value: str) -> str:
    """Return the lower-case letters of a city or region, without spaces."""
    return "".join(c for c in value.lower() if c.isalpha() or unicodedata.combining(c))


def plain_region(value: str, country: str) -> str:
    """Return the two letters of a state of the US, in lower case; of another region its letters.

    `country` are the two letters of its country, "" if unknown.
    """
    code = state_code(value, "US") if value and country.upper() == "US" else ""
    return code.lower() or plain_place(value)


def plain_postal_code(value: str) -> str:
    """Return the code in lower case, without spaces and dashes; of a US ZIP+4 only the first five
    digits."""
    code = re.sub(r"\s", "", value.lower())
    return code[:5] if re.fullmatch(r"\d{5}-\d{4}", code) else code.replace("-", "")


def plain_country(value: str) -> str:
    """Return the two letters of ISO 3166-1 in lower case, for a code or a name; "" for anything
    else."""
    return country_code(value).lower()


def _query(url: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        return {}


def _email_in(value: Any) -> str:
    """Return the first address or digest, as it was written, of a text or a list."""
    return next((each for each in _texts(value) if plain_email(each)), "")


def _phone_in(value: Any) -> str:
    """Return the first text that may be a phone number, of a text or a list."""
    return next((each for each in _texts(value) if len(re.findall(r"\d", each)) >= 5), "")


def _texts(value: Any) -> list[str]:
    return [
        text for each in (value if isinstance(value, list) else [value]) if (text := plain(each))
    ]
