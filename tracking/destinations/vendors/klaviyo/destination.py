"""Klaviyo: events of profiles, and profiles.

Source: Klaviyo's API reference, revision 2026-07-15, pages "Create Event"
(https://developers.klaviyo.com/en/reference/create_event: 350 requests/s, 3,500/min; 5 MB; a name
of fewer than 128 characters; of duplicates by unique_id only the first is recorded), "Create or
Update Profile" (75 requests/s, 750/min; 100 KB) and "Get Accounts" ("test if a Private API Key
belongs to the correct account"). Not "Bulk Create Events": there one duplicate unique_id fails all
events of the request after it was accepted.

An event keeps its name and properties. Klaviyo's own reports read only the value and its currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import plain
from tracking.destinations.spec.ecommerce import read_amount
from tracking.destinations.spec.ids import browser_of, someone, user_of
from tracking.destinations.spec.limits import filled, prune
from tracking.destinations.spec.omissions import LeftOut, Rule, under, without
from tracking.destinations.spec.origins import IDS, Path
from tracking.destinations.spec.person import (
    HASHED,
    country_of,
    plain_email,
    plain_phone,
    read_person,
)
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.klaviyo.config import KlaviyoConfig
from tracking.events import Event

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

REVISION = "2026-07-15"
NAME_LIMIT = 127
MAX_PROPERTIES, MAX_LEVELS, MAX_ITEMS = 400, 10, 4_000
#: No hit has more keys in an object than a byte for each.
NO_LIMIT = 1_000_000
#: The fields of a Person that Klaviyo has under the same name.
PLAIN = ("first_name", "last_name", "title", "image")
#: Klaviyo's field → the field of a Person.
FIELDS = {"email": "email", "phone_number": "phone", **{name: name for name in PLAIN}}
#: As "Ingestion limits" states; "Create Event" states 1990.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

PAGE, URL = "Create Event", "https://developers.klaviyo.com/en/reference/create_event"
TOO_MANY = Rule(
    "klaviyo_too_many",
    _("Klaviyo accepts up to 400 properties per event and 4,000 elements per list."),
    f"{PAGE}, properties; Rate limits, status codes, and errors, section Ingestion limits: 4,000"
    " items in arrays, 10 levels of nested objects",
    URL,
    "Properties of this event (must not exceed 400 properties).",
)
EMAIL = Rule(
    "klaviyo_email",
    _("Klaviyo refuses an event with an e-mail address that is none."),
    f"{PAGE}, profile, email",
    URL,
    "Individual's email address",
)
PHONE = Rule(
    "klaviyo_phone",
    _(
        "Klaviyo takes phone numbers in E.164 form only; set a default country for national"
        " numbers."
    ),
    f"{PAGE}, profile, phone_number",
    URL,
    "Individual's phone number in E.164 format",
)
ONLY_TRAITS = Rule(
    "klaviyo_profile",
    _("An identify event sets a profile, which has traits and no event properties."),
    "Create or Update Profile",
    "https://developers.klaviyo.com/en/reference/create_or_update_profile",
    "Given a set of profile attributes and optionally an ID, create or update a profile.",
)


class Klaviyo(Destination):
    """Klaviyo: a track event becomes an event of its profile, an identify event the profile."""

    slug = "klaviyo"
    label = "Klaviyo"
    category = "messaging"
    summary = _("Events and profiles, for flows and segments in Klaviyo.")
    docs_url = "https://developers.klaviyo.com/en/reference/create_event"
    Config = KlaviyoConfig

    takes = frozenset({"track", "identify"})
    idempotency = "unique_id"
    max_bytes = 5_000_000
    hosts = {"": "https://a.klaviyo.com"}  # noqa: RUF012 (Destination's own)

    rules = (TOO_MANY, EMAIL, PHONE, ONLY_TRAITS)

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if event.type == "identify":
            if not (user_of(event) or self._contacts(event)):
                return "A profile requires a user id, an e-mail address or a phone number."
            return ""
        if not 0 < len(event.name) <= NAME_LIMIT:
            return f"The name of an event must have 1 to {NAME_LIMIT} characters."
        if not (someone(event) or self._contacts(event)):
            return "Klaviyo requires an id, an e-mail address or a phone number for every event."
        return "" if event.occurred_at >= EARLIEST else "Klaviyo accepts events since 2000 only."

    def left_out(self, event: Event) -> LeftOut:
        cut: list[Path] = []
        limited(event.properties, cut)
        lost = {**under("properties", cut, TOO_MANY)}
        if event.type == "identify":
            lost = without(event, [("traits",)], ONLY_TRAITS)
        return {**lost, **unusable_traits(event, self._country(event))}

    def request(self, events: Sequence[Event]) -> Request:
        (event,) = events
        profile = self._profile(event)
        if event.type == "identify":
            attributes = {k: v for k, v in profile.items() if k != "anonymous_id"}
            return self._call("/api/profile-import", {"type": "profile", "attributes": attributes})
        attributes = describe(event, profile)
        return self._call("/api/events", {"type": "event", "attributes": attributes})

    async def verify(self, client: Client) -> str:
        """Read the account that the key belongs to."""
        response = await self.ask(client, self._call("/api/accounts", None))
        try:
            account = msgspec.json.decode(response.body)["data"][0]["attributes"]
            name = account["contact_information"]["organization_name"]
        except (ValueError, TypeError, LookupError):
            return gettext("The key is valid.")
        return gettext("The key belongs to %(account)s.") % {"account": name}

    def _country(self, event: Event) -> str:
        """Return the country of the person's phone number."""
        return country_of(read_person(event), self.config.get("default_country", ""))

    def _profile(self, event: Event) -> dict[str, Any]:
        """Return the profile: ids, fields, and as `properties` the traits that have no field."""
        who = read_person(event)
        fields = self._contacts(event)
        fields |= {field: text for field in PLAIN if (text := getattr(who, field))}
        elsewhere = {who.origins.get(FIELDS[field]) for field in fields}
        elsewhere |= unusable_traits(event, self._country(event)).keys()
        others = {
            name: value
            for name, value in event.traits.items()
            if name not in IDS and ("traits", name) not in elsewhere
        }
        ids = {"external_id": user_of(event), "anonymous_id": browser_of(event)}
        return filled({**fields, **ids, "properties": others})

    def _contacts(self, event: Event) -> dict[str, str]:
        """Return the e-mail address and the phone number of the person, without those that Klaviyo
        would refuse."""
        who = read_person(event)
        email = plain_email(who.email)
        return filled(
            {
                "email": who.email.strip() if email and not HASHED.fullmatch(email) else "",
                "phone_number": read_phone(who.phone, self._country(event)),
            }
        )

    def _call(self, path: str, data: Mapping[str, Any] | None) -> Request:
        return Request(
            method="POST" if data else "GET",
            url=self.host + path,
            body=msgspec.json.encode({"data": data}) if data else b"",
            headers={
                "Authorization": f"Klaviyo-API-Key {self.config['private_key']}",
                "Accept": "application/vnd.api+json",
                "Content-Type": "application/vnd.api+json",
                "revision": REVISION,
            },
        )


def describe(event: Event, profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event with its own properties, and the amount that the sender states."""
    amount, currency = read_amount(event)
    return {
        "properties": limited(event.properties),
        "time": event.occurred_at.astimezone(UTC).isoformat(),
        "unique_id": str(event.id),
        **({"value": amount} if amount is not None else {}),
        **({"value_currency": currency} if currency else {}),
        "metric": {"data": {"type": "metric", "attributes": {"name": event.name}}},
        "profile": {"data": {"type": "profile", "attributes": profile}},
    }


def limited(properties: Mapping[str, Any], cut: list[Path] | None = None) -> dict[str, Any]:
    """Return the properties within Klaviyo's limits; deeper objects become JSON text. The paths of
    what is left out are added to `cut`."""
    names = list(properties)
    if cut is not None:
        cut.extend((name,) for name in names[MAX_PROPERTIES:])
    shown = {name: properties[name] for name in names[:MAX_PROPERTIES]}
    kept: dict[str, Any] = prune(shown, depth=MAX_LEVELS, keys=NO_LIMIT, items=MAX_ITEMS, cut=cut)
    return kept


def read_phone(text: str, country: str = "") -> str:
    """Return the number in E.164 form; "" if that cannot be derived."""
    digits = plain_phone(text, country)
    return "" if not digits or HASHED.fullmatch(digits) else f"+{digits}"


def unusable_traits(event: Event, country: str) -> LeftOut:
    """Return the traits that would be a field of the profile but are no e-mail address or phone
    number."""
    found: LeftOut = {}
    if "email" in event.traits and not plain_email(plain(event.traits["email"])):
        found["traits", "email"] = EMAIL
    if "phone" in event.traits and not plain_phone(plain(event.traits["phone"]), country):
        found["traits", "phone"] = PHONE
    return found
