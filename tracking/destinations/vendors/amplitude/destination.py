"""Amplitude, through the HTTP V2 API.

Source: "HTTP V2 API" (https://amplitude.com/docs/apis/analytics/http-v2), sections "Regions",
"Upload limit" (1 MB; 2,000 events, though few are recommended; 30 events/s per user), "Keys for the
event argument" (reserved names; insert_id, which identifies an event for 7 days) and the properties
of errors; "Batch and retry HTTP V2 API requests" (after a 400 nothing is accepted: the request is
sent again without the events that it names).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, plain, read_json
from tracking.destinations.spec.event_names import own_name
from tracking.destinations.spec.ids import someone
from tracking.destinations.spec.omissions import LeftOut
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.amplitude.config import AmplitudeConfig
from tracking.destinations.vendors.amplitude.events import RULES, event_of, left_out_of
from tracking.events import Event, Receipt
from tracking.exceptions import RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

RESERVED = frozenset(
    f"[Amplitude] {name}"
    for name in (
        *("Start Session", "End Session", "Revenue", "Revenue (Verified)"),
        *("Revenue (Unverified)", "Merged User"),
    )
)
#: The fields of a 400 that list events by their index, and the reason that each stands for.
NAMED = {
    "events_with_invalid_fields": "{} is invalid",
    "events_with_missing_fields": "{} is missing",
    "events_with_invalid_id_lengths": "{} is too short",
}
#: Seconds to wait for a user who exceeds 30 events/s.
PAUSE = 30.0


class Amplitude(Destination):
    """Amplitude: events under their own names, orders as revenue, identify as $identify."""

    slug = "amplitude"
    label = "Amplitude"
    category = "analytics"
    summary = gettext_lazy("Events and users, for funnels and retention in Amplitude.")
    docs_url = "https://amplitude.com/docs/apis/analytics/http-v2"
    aliases = ("Amplitude (Actions)", "Actions Amplitude")
    Config = AmplitudeConfig

    takes = frozenset({"track", "page", "screen", "identify"})
    idempotency = "insert_id"
    max_batch = 100
    max_bytes = 1_000_000
    hosts: ClassVar[Mapping[str, str]] = {
        "us": "https://api2.amplitude.com",
        "eu": "https://api.eu.amplitude.com",
    }

    rules = RULES

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not someone(event):
            return "Amplitude requires a user id or an anonymous id that stands for somebody."
        if event.type != "identify" and not own_name(event):
            return "Amplitude requires a name for every event."
        if own_name(event) in RESERVED:
            return "Amplitude reserves the name of the event."
        return ""

    def left_out(self, event: Event) -> LeftOut:
        return left_out_of(event)

    def request(self, events: Sequence[Event]) -> Request:
        return self._post([event_of(event) for event in events])

    async def deliver(self, events: Sequence[Event], client: Client) -> Receipt:
        """Send one batch. The events that a 400 names are refused, and all others are sent once
        more."""
        response = await self._send(client, self.request(events))
        refused = read_refused(events, response) if response.status == 400 else {}
        rest = [event for event in events if event.id not in refused]
        if refused and rest:
            response = await self._send(client, self.request(rest))
        if rest or not refused:
            response.raise_for_status()
        return Receipt(exchange=response.exchange, refused=refused)

    async def verify(self, client: Client) -> str:
        """Upload no events. Nothing is recorded, and Amplitude reports either missing events or a
        wrong key."""
        response = await self._send(client, self._post([]))
        if response.status != 400:
            response.raise_for_status()
        return _("Amplitude accepted the API key. Nothing was recorded.")

    async def _send(self, client: Client, request: Request) -> Response:
        response = await self.send(client, request)
        body = read_json(response.body)
        words = self.mask(plain(body.get("error")))
        blamed = f"{words} {body.get('missing_field')}".lower().replace(" ", "_")
        if response.status == 400 and "api_key" in blamed:
            raise SetupError(f"Amplitude answered: {words}", exchange=response.exchange)
        if response.status == 429 and "Retry-After" not in response.headers:
            raise RetryableError(
                f"Amplitude answered: {words}", exchange=response.exchange, retry_after=PAUSE
            )
        return response

    def _post(self, events: list[dict[str, Any]]) -> Request:
        """Return the upload of these events. It allows ids of any length: by default Amplitude
        drops those of fewer than 5 characters."""
        body = {"api_key": self.config["api_key"], "events": events}
        return Request(
            url=f"{self.host}/2/httpapi",
            body=msgspec.json.encode({**body, "options": {"min_id_length": 1}}),
            headers={"Content-Type": "application/json"},
        )


def read_refused(events: Sequence[Event], response: Response) -> dict[UUID, str]:
    """Return the events that the response names, and the reasons."""
    body = read_json(response.body)
    refused: dict[UUID, str] = {}
    for name, reason in NAMED.items():
        for field, places in as_object(body.get(name)).items():
            for place in _places(places, len(events)):
                refused.setdefault(events[place].id, reason.format(field))
    for place in _places(body.get("silenced_events"), len(events)):
        refused.setdefault(events[place].id, "Amplitude has silenced this device_id")
    return refused


def _places(value: Any, count: int) -> Iterator[int]:
    for place in value if isinstance(value, list) else ():
        if isinstance(place, int) and 0 <= place < count:
            yield place
