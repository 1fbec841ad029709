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

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.klaviyo.config import KlaviyoConfig
from tracking.events import Event

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

REVISION = "2026-07-15"
NAME_LIMIT = 127
#: Klaviyo's field → the names of the trait in both payload shapes.
FIELDS = {
    "email": ("email",),
    "phone_number": ("phone",),
    "first_name": ("firstName", "first_name"),
    "last_name": ("lastName", "last_name"),
    "title": ("title",),
    "image": ("avatar",),
}
IDS = ("userId", "anonymousId", "emailHash")
PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
#: The keys of an order's value; in the public API's shape they are inside its `transaction`.
VALUES = ("revenue", "total", "value")


class Klaviyo(Destination):
    """Klaviyo: a track event becomes an event of its profile, an identify event the profile."""

    slug = "klaviyo"
    label = "Klaviyo"
    docs_url = "https://developers.klaviyo.com/en/reference/create_event"
    Config = KlaviyoConfig

    takes = frozenset({"track", "identify"})
    idempotency = "unique_id"
    max_bytes = 5_000_000
    hosts = {"": "https://a.klaviyo.com"}  # noqa: RUF012 (Destination's own)

    def skip(self, event: Event) -> str:
        if event.type == "track" and not 0 < len(event.name) <= NAME_LIMIT:
            return f"The name of an event must have 1 to {NAME_LIMIT} characters."
        if event.type == "identify" and not set(profile(event)) & {
            "external_id",
            "email",
            "phone_number",
        }:
            return "A profile requires a user id, an e-mail address or a phone number."
        return super().skip(event)

    def request(self, events: Sequence[Event]) -> Request:
        (event,) = events
        if event.type == "identify":
            attributes = {k: v for k, v in profile(event).items() if k != "anonymous_id"}
            return self._call("/api/profile-import", {"type": "profile", "attributes": attributes})
        return self._call("/api/events", {"type": "event", "attributes": describe(event)})

    async def verify(self, client: Client) -> str:
        """Read the account that the key belongs to."""
        response = await self.ask(client, self._call("/api/accounts", None))
        try:
            account = msgspec.json.decode(response.body)["data"][0]["attributes"]
            name = account["contact_information"]["organization_name"]
        except (ValueError, TypeError, LookupError):
            return "The key is valid."
        return f"The key belongs to {name}."

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


def describe(event: Event) -> dict[str, Any]:
    order = event.properties.get("transaction")
    sale = order if isinstance(order, Mapping) else event.properties
    value = next((number for name in VALUES if _is_number(number := sale.get(name))), None)
    currency = sale.get("currency")
    return {
        "properties": event.properties,
        "time": event.occurred_at.astimezone(UTC).isoformat(),
        "unique_id": str(event.id),
        **({"value": value} if value is not None else {}),
        **({"value_currency": currency} if value is not None and _is_currency(currency) else {}),
        "metric": {"data": {"type": "metric", "attributes": {"name": event.name}}},
        "profile": {"data": {"type": "profile", "attributes": profile(event)}},
    }


def profile(event: Event) -> dict[str, Any]:
    """Return the profile: ids, fields, and as `properties` the traits that have no field."""
    traits = event.traits
    fields: dict[str, Any] = {}
    for field, names in FIELDS.items():
        text = next((traits[name] for name in names if isinstance(traits.get(name), str)), "")
        fields[field] = text.strip()
    fields["phone_number"] = read_phone(fields["phone_number"])
    fields |= {"external_id": event.user_id, "anonymous_id": event.anonymous_id}
    used = {name for names in FIELDS.values() for name in names} | set(IDS)
    properties = {name: value for name, value in traits.items() if name not in used}
    return {name: value for name, value in {**fields, "properties": properties}.items() if value}


def read_phone(text: str) -> str:
    """Return the number in E.164 form; "" if that cannot be derived."""
    number = re.sub(r"[\s().-]", "", text)
    return number if PHONE.fullmatch(number) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) is not None
