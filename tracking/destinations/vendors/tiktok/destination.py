"""TikTok, through the Events API 2.0.

Source: TikTok API for Business, "Events API 2.0", version 1.3
(https://business-api.tiktok.com/portal/docs/report-app-web-offline-or-crm-events/v1.3), "Events API
Responses and errors" (…/docs/responses-and-errors/v1.3: 40002 for more than 1,000 events, 40100 and
40104 with status 401), "Rate limits Overview" (…/docs/rate-limits/v1.3: 1,000 requests/s) and
"Event Deduplication" (…/docs/event-deduplication/v1.3: of events with the same event_source_id,
event and event_id the first of 48 hours is kept; later ones are merged into it for 5 minutes). The
pages show their text to browsers only; these facts are known through what others read there in
September 2026, and the other codes of responses through rudderlabs/rudder-transformer (tiktok_ads).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.advertising import limits_use, skips_denied
from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import plain, read_json
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import LeftOut
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.tiktok.config import TikTokConfig
from tracking.destinations.vendors.tiktok.events import (
    EVENTS,
    RULES,
    left_out_of,
    properties,
    user,
)
from tracking.events import Event
from tracking.exceptions import PermanentError, RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

#: The codes in the body of a response. They decide, not its status: too many requests and an empty
#: access token are both answered with 401. The first two mean success.
TAKEN = frozenset({0, 20001})
NO_DATA = 40002
NO_CODE = -1
WRONG_SETUP = frozenset({40001, 40101, 40102, 40103, 40104, 40105})
AGAIN = frozenset({40100, 40700})


class TikTok(Destination):
    """TikTok: its standard events, with personal data hashed as TikTok requires."""

    slug = "tiktok"
    label = "TikTok Events API"
    category = "advertising"
    summary = gettext_lazy("Conversions for campaigns on TikTok.")
    docs_url = (
        "https://business-api.tiktok.com/portal/docs/report-app-web-offline-or-crm-events/v1.3"
    )
    aliases = ("TikTok", "TikTok Pixel", "TikTok Conversions")
    Config = TikTokConfig

    takes = frozenset({"track"})
    idempotency = "event_id"
    max_batch = 1_000
    #: TikTok publishes no limit that we know of.
    max_bytes = 5_000_000
    hosts: ClassVar[Mapping[str, str]] = {"": "https://business-api.tiktok.com/open_api/v1.3"}

    rules = RULES

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not self._name(event):
            return "TikTok has no standard event for it."
        if reason := skips_denied(self.config, event):
            return reason
        if not read_visit(event).url:
            return "TikTok accepts a web event only with the URL of the page."
        return ""

    def left_out(self, event: Event) -> LeftOut:
        return left_out_of(event, self._country)

    def request(self, events: Sequence[Event]) -> Request:
        return self._post([self._event(event) for event in events])

    async def ask(self, client: Client, request: Request) -> Response:
        response = await self.send(client, request)
        self._raise_for_code(response)
        response.raise_for_status()
        return response

    async def verify(self, client: Client) -> str:
        """Send no events. Nothing is recorded, and TikTok reports that they are missing."""
        response = await self.send(client, self._post([]))
        if read_code(response)[0] != NO_DATA:
            self._raise_for_code(response)
            response.raise_for_status()
        return _("TikTok accepted the access token. Nothing was recorded.")

    def _raise_for_code(self, response: Response) -> None:
        """Raise the error that the code stands for. Without a code a status above 299 decides; any
        other response is a fault of TikTok."""
        code, words = read_code(response)
        words = self.mask(f"TikTok answered {code}: {words}")
        if code in TAKEN or (code == NO_CODE and response.status >= 300):
            return
        if code in WRONG_SETUP:
            raise SetupError(words, exchange=response.exchange)
        if code in AGAIN or code >= 50_000 or code == NO_CODE:
            raise RetryableError(words, exchange=response.exchange)
        raise PermanentError(words, exchange=response.exchange)

    def _name(self, event: Event) -> str:
        own = own_name(event) if self.config.get("custom_events") else ""
        return EVENTS.get(meaning(event), own)

    def _event(self, event: Event) -> dict[str, Any]:
        """Return TikTok's event. The sender may name the id that the browser's pixel used, so that
        TikTok counts the event once."""
        visit = read_visit(event)
        return filled(
            {
                "event": self._name(event),
                "event_time": int(event.occurred_at.timestamp()),
                "event_id": plain(event.options.get("eventId")) or str(event.id),
                "user": user(event, self._country),
                "properties": properties(event),
                "page": filled({"url": visit.url, "referrer": visit.referrer}),
                "limited_data_use": limits_use(self.config, event) or None,
            }
        )

    @property
    def _country(self) -> str:
        return str(self.config.get("default_country") or "")

    def _post(self, data: list[dict[str, Any]]) -> Request:
        body = {
            "event_source": "web",
            "event_source_id": self.config["pixel_code"],
            "test_event_code": self.config.get("test_event_code"),
        }
        return Request(
            url=f"{self.host}/event/track/",
            body=msgspec.json.encode({**filled(body), "data": data}),
            headers={
                "Content-Type": "application/json",
                "Access-Token": self.config["access_token"],
            },
            secret_headers=frozenset({"Access-Token"}),
        )


def read_code(response: Response) -> tuple[int, str]:
    """Return the code and message of the response; NO_CODE if it has none."""
    body = read_json(response.body)
    code = body.get("code")
    return (code if isinstance(code, int) else NO_CODE), plain(body.get("message"))
