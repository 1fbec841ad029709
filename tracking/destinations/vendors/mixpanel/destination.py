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

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, read_json
from tracking.destinations.spec.event_names import own_name
from tracking.destinations.spec.limits import describe_campaign, describe_sale, filled, prune
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.mixpanel.config import MixpanelConfig
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

INVALID_IDS = frozenset({"00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil"})
INVALID_IDS |= {"none", "null", "n/a", "na", "undefined", "unknown", "<nil>", "0", "-1", "true"}
INVALID_IDS |= {"false", "[]", "{}"}
#: The traits that Mixpanel displays and uses under names of its own.
TRAITS = {
    "email": "$email",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "name": "$name",
    "phone": "$phone",
    "avatar": "$avatar",
}
#: Below the 255 properties that an event may have, to leave room for the ones added here.
MAX_KEYS, MAX_ITEMS, MAX_DEPTH = 200, 254, 7


class Mixpanel(Destination):
    """Mixpanel: events under their own names, with the goods sold beside their properties.

    Of several events with the same name, time, distinct_id and $insert_id Mixpanel keeps one.
    """

    slug = "mixpanel"
    label = "Mixpanel"
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

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        known = event.user_id or event.anonymous_id
        if known.lower() in INVALID_IDS:
            return f"Mixpanel does not allow the user id {known!r}."
        if event.type == "identify":
            return "" if event.user_id else "Mixpanel stores the traits of known users only."
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
        return "Mixpanel accepted the project token. Nothing was recorded."

    def _event(self, event: Event) -> dict[str, Any]:
        """Return Mixpanel's event. Times are in milliseconds. An ip of 0 prevents a look-up of
        Hitstream's own address."""
        visit, context = read_visit(event), event.context
        own = prune(event.properties, depth=MAX_DEPTH, keys=MAX_KEYS, items=MAX_ITEMS)
        known = {
            "$user_id": event.user_id,
            "$device_id": event.anonymous_id if event.anonymous_id not in INVALID_IDS else "",
            "$current_url": visit.url,
            "$referrer": visit.referrer,
            "$os": as_object(context.get("os")).get("name"),
            "$browser": as_object(context.get("browser")).get("name"),
        }
        sold = prune(describe_sale(event), depth=3, keys=MAX_KEYS, items=MAX_ITEMS)
        fixed = {
            "time": int(min(event.occurred_at, event.received_at).timestamp() * 1000),
            "distinct_id": event.user_id or event.anonymous_id,
            "$insert_id": str(event.id),
            "ip": visit.ip or 0,
        }
        shown = {**own, **describe_campaign(event), **sold, **filled(known), **fixed}
        return {"event": own_name(event), "properties": shown}

    def _profile(self, event: Event) -> dict[str, Any]:
        traits = prune(event.traits, depth=MAX_DEPTH, keys=MAX_KEYS, items=MAX_ITEMS)
        return {
            "$token": self.config["project_token"],
            "$distinct_id": event.user_id,
            "$set": {TRAITS.get(name, name): value for name, value in traits.items()},
        }

    def _post(self, path: str, body: Any) -> Request:
        token = base64.b64encode(f"{self.config['project_token']}:".encode()).decode()
        return Request(
            url=self.host + path,
            body=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "Authorization": f"Basic {token}"},
            secret_headers=frozenset({"Authorization"}),
        )


def read_refused(events: Sequence[Event], response: Response) -> dict[UUID, str]:
    """Return the events that `failed_records` lists by index."""
    records = read_json(response.body).get("failed_records")
    return {
        events[record["index"]].id: f"{record.get('field', '')}: {record.get('message', '')}"
        for record in (records if isinstance(records, list) else ())
        if isinstance(record.get("index"), int) and 0 <= record["index"] < len(events)
    }
