"""Mixpanel: events through /import, the traits of known users through /engage.

Source: "Import Events" (https://docs.mixpanel.com/reference/import-events), sections "Request
Format" (2,000 events, 10 MB), "Authentication" (the project's token as the user of Basic),
"Validation" (with strict=1 a 400 stores every event but those in failed_records; ids that are not
allowed; 255 properties) and "GeoIP Enrichment"; "Update Multiple Profiles" (/engage: 2,000
profiles, a 200 may refuse some); "Identifying Users (Simplified)" ($device_id, $user_id); "Reserved
Properties".
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, read_json
from tracking.destinations.spec.event_names import own_name
from tracking.destinations.spec.ids import browser_of, someone, user_of
from tracking.destinations.spec.limits import (
    beside,
    describe_campaign,
    describe_sale,
    filled,
    prune,
)
from tracking.destinations.spec.omissions import LeftOut, Rule, under, without
from tracking.destinations.spec.origins import Path
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.mixpanel.config import MixpanelConfig
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

#: The traits that Mixpanel displays and uses under names of its own.
TRAITS = {
    "email": "$email",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "name": "$name",
    "phone": "$phone",
    "avatar": "$avatar",
}
#: An event, an object and a list have fewer than 255 elements. The page states three levels of
#: nested objects, which Mixpanel does not enforce: its limit is ten (mixpanel/docs-legacy, pull
#: request 2197).
MAX_KEYS, MAX_ITEMS, MAX_DEPTH = 254, 254, 7
#: The properties that carry the event's time, user and id, and the visitor's address.
FIXED = ("time", "distinct_id", "$insert_id", "ip")

PAGE, URL = "Import Events", "https://docs.mixpanel.com/reference/import-events"
RESERVED = Rule(
    "mixpanel_reserved",
    _("Mixpanel reads the event's own time, user, id or address from the property of this name."),
    f"{PAGE}, section Validation; for ip section GeoIP Enrichment",
    URL,
    "Each event must contain an event name, time, distinct_id, and $insert_id.",
)
TOO_MANY = Rule(
    "mixpanel_too_many",
    _("Mixpanel accepts fewer than 255 properties per event and elements per object or list."),
    f"{PAGE}, section Validation: nested objects and arrays alike",
    URL,
    "Each event must have fewer than 255 properties.",
)
TRAITS_OF_TRACK = Rule(
    "mixpanel_traits",
    _("Mixpanel stores traits in profiles, which only identify events set."),
    "Properties: event properties describe the events",
    "https://docs.mixpanel.com/docs/data-structure/property-reference/properties",
    "User Profile Properties describe your users (they typically store current demographic"
    " information).",
)
ONLY_TRAITS = Rule(
    "mixpanel_profile",
    _("An identify event sets a profile, which has traits and no event properties."),
    "Set Property",
    "https://docs.mixpanel.com/reference/profile-set",
    "Takes a JSON object containing names and values of profile properties.",
)


class Mixpanel(Destination):
    """Mixpanel: events under their own names, with the goods sold beside their properties.

    Of several events with the same name, time, distinct_id and $insert_id Mixpanel keeps one.
    """

    slug = "mixpanel"
    label = "Mixpanel"
    category = "analytics"
    summary = _("Events and users, for reports in Mixpanel.")
    docs_url = "https://docs.mixpanel.com/reference/import-events"
    aliases = ("Mixpanel (Actions)", "Actions Mixpanel")
    Config = MixpanelConfig

    takes = frozenset({"track", "page", "screen", "identify"})
    idempotency = "$insert_id"
    max_batch = 2_000
    max_bytes = 10_000_000
    hosts: ClassVar[Mapping[str, str]] = {
        "us": "https://api.mixpanel.com",
        "eu": "https://api-eu.mixpanel.com",
        "in": "https://api-in.mixpanel.com",
    }

    rules = (RESERVED, TOO_MANY, TRAITS_OF_TRACK, ONLY_TRAITS)

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not someone(event) and (event.user_id or event.anonymous_id):
            return "Mixpanel does not allow ids that stand for nobody, such as null."
        if event.type == "identify":
            return "" if user_of(event) else "Mixpanel stores the traits of known users only."
        if not own_name(event):
            return "Mixpanel requires a name for every event."
        return "" if event.occurred_at.year > 1970 else "Mixpanel accepts events since 1971 only."

    def batches(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield the events, then the profiles, each in their order: they have different routes."""
        for wanted in (False, True):
            yield from super().batches([e for e in events if (e.type == "identify") is wanted])

    def request(self, events: Sequence[Event]) -> Request:
        if events[0].type == "identify":
            return self._post("/engage?ip=0&strict=1", [self._profile(event) for event in events])
        return self._post("/import?strict=1", [self._event(event) for event in events])

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        response = await self.send(client, self.request(events))
        refused = read_refused(events, response) if response.status in {200, 400} else {}
        if not refused:
            response.raise_for_status()
            if response.body.strip() == b"0" or read_json(response.body).get("status") == 0:
                raise PermanentError(
                    "Mixpanel accepted none of the profiles.", exchange=response.exchange
                )
        return Receipt(exchange=response.exchange, refused=refused)

    async def verify(self, client: Client) -> str:
        """Send an event of 1970, which strict=1 never imports. A wrong token is rejected before
        that check."""
        old = {"time": 0, "distinct_id": "", "$insert_id": "hitstream-verification"}
        body = [{"event": "Hitstream verification", "properties": old}]
        response = await self.send(client, self._post("/import?strict=1", body))
        if not read_json(response.body).get("failed_records"):
            response.raise_for_status()
        return gettext("Mixpanel accepted the project token. Nothing was recorded.")

    def left_out(self, event: Event) -> LeftOut:
        cut: list[Path] = []
        if event.type == "identify":
            self._profile(event, cut)
            lost = without(event, [("traits",)], ONLY_TRAITS)
            return {**lost, **under("traits", cut, TOO_MANY)}
        self._event(event, cut)
        fixed = under("properties", [(n,) for n in FIXED if n in event.properties], RESERVED)
        traits = without(event, [("properties",)], TRAITS_OF_TRACK)
        return {**traits, **under("properties", cut, TOO_MANY), **fixed}

    def _event(self, event: Event, cut: list[Path] | None = None) -> dict[str, Any]:
        """Return Mixpanel's event. Times are in milliseconds. An ip of 0 prevents a look-up of
        Hitstream's own address. The sender's own properties stay as they are; of the others, those
        that Mixpanel has room for are beside them."""
        visit, context = read_visit(event), event.context
        fixed = {
            "time": int(event.occurred_at.timestamp() * 1000),
            "distinct_id": someone(event),
            "$insert_id": str(event.id),
            "ip": visit.ip or 0,
        }
        known = {
            "$user_id": user_of(event),
            "$device_id": browser_of(event),
            "$current_url": visit.url,
            "$referrer": visit.referrer,
            "$os": as_object(context.get("os")).get("name"),
            "$browser": as_object(context.get("browser")).get("name"),
        }
        sold = prune(describe_sale(event), depth=3, keys=MAX_KEYS, items=MAX_ITEMS)
        derived = {**filled(known), **describe_campaign(event), **sold}
        kept = {name: value for name, value in event.properties.items() if name not in FIXED}
        room = MAX_KEYS - len(fixed)
        own = limited(dict(list(kept.items())[:room]), cut)
        if cut is not None:
            cut.extend((name,) for name in list(kept)[room:])
        shown = dict(list(beside(own, derived).items())[:room])
        return {"event": own_name(event), "properties": {**shown, **fixed}}

    def _profile(self, event: Event, cut: list[Path] | None = None) -> dict[str, Any]:
        traits = limited(event.traits, cut)
        named = {TRAITS.get(name, name): value for name, value in traits.items()}
        return {
            "$token": self.config["project_token"],
            "$distinct_id": user_of(event),
            "$set": named if len(named) == len(traits) else traits,
        }

    def _post(self, path: str, body: Any) -> Request:
        token = base64.b64encode(f"{self.config['project_token']}:".encode()).decode()
        return Request(
            url=self.host + path,
            body=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "Authorization": f"Basic {token}"},
            secret_headers=frozenset({"Authorization"}),
        )


def limited(value: Mapping[str, Any], cut: list[Path] | None) -> dict[str, Any]:
    """Return the object within Mixpanel's limits. What is left out is added to `cut`."""
    kept: dict[str, Any] = prune(value, depth=MAX_DEPTH, keys=MAX_KEYS, items=MAX_ITEMS, cut=cut)
    return kept


def read_refused(events: Sequence[Event], response: Response) -> dict[UUID, str]:
    """Return the events that `failed_records` lists by index."""
    records = read_json(response.body).get("failed_records")
    return {
        events[record["index"]].id: f"{record.get('field', '')}: {record.get('message', '')}"
        for record in (records if isinstance(records, list) else ())
        if isinstance(record.get("index"), int) and 0 <= record["index"] < len(events)
    }
