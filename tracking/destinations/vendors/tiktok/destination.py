"""TikTok, through the Events API 2.0.

Source: TikTok API for Business, "Events API 2.0"
(https://business-api.tiktok.com/portal/docs?id=1771101303285761), known here only through two
implementations: segmentio/action-destinations (tiktok-conversions: the body's fields, which of them
are hashed, and limited_data_use) and rudderlabs/rudder-transformer (tiktok_ads: 1,000 events per
request, the codes of responses).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

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

#: The codes in the body of a response, whose status is 200 in any case. The first two mean success.
TAKEN = frozenset({0, 20001})
NO_DATA = 40002
WRONG_SETUP = frozenset({40001, 40101, 40102, 40103, 40104, 40105})
AGAIN = frozenset({40100, 40700})


class TikTok(Destination):
    """TikTok: its standard events, with personal data hashed as TikTok requires."""

    slug = "tiktok"
    label = "TikTok Events API"
    docs_url = "https://business-api.tiktok.com/portal/docs?id=1771101303285761"
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
        response = await super().ask(client, request)
        self._raise_for_code(response)
        return response

    async def verify(self, client: Client) -> str:
        """Send no events. Nothing is recorded, and TikTok reports that they are missing."""
        response = await super().ask(client, self._post([]))
        if read_code(response)[0] != NO_DATA:
            self._raise_for_code(response)
        return "TikTok accepted the access token. Nothing was recorded."

    def _raise_for_code(self, response: Response) -> None:
        code, words = read_code(response)
        words = self.mask(f"TikTok answered {code}: {words}")
        if code in TAKEN:
            return
        if code in WRONG_SETUP:
            raise SetupError(words, exchange=response.exchange)
        if code in AGAIN or code >= 50_000 or code < 0:
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
    """Return the code and message of the response; code -1 if it has none."""
    body = read_json(response.body)
    code = body.get("code")
    return (code if isinstance(code, int) else -1), plain(body.get("message"))
