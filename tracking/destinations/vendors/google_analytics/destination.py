"""Google Analytics 4, through the Measurement Protocol.

Source: "Measurement Protocol reference"
(https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference), sections
"Transport" (hosts; every payload is answered with 2xx), "JSON POST body" (client_id: two positive
numbers joined by a period; ip_override; user_agent; 25 events), "Consent" (ad_user_data,
ad_personalization: GRANTED or DENIED) and "Common event parameters"; "Send Measurement Protocol
events", section "Limitations" (a body below 130 kB), and "Validate events" (/debug/mp/collect
records nothing and checks neither of the credentials).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, plain, read_json
from tracking.destinations.spec.consent import read_consent
from tracking.destinations.spec.ids import browser_of, usable, user_of
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import LeftOut
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.google_analytics.config import GoogleAnalyticsConfig
from tracking.destinations.vendors.google_analytics.events import GoogleEvent, build, google_event
from tracking.destinations.vendors.google_analytics.own_parameters import RULES
from tracking.events import Event
from tracking.exceptions import SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

CLIENT_ID = re.compile(r"[1-9][0-9]*\.[1-9][0-9]*")
#: Maximum age of an event that Google accepts.
OLDEST = timedelta(hours=72)


class GoogleAnalytics(Destination):
    """Google Analytics 4: the catalogue's events under Google's names, all others under their own.

    One request carries the events of one client. Google recognises duplicate purchases by
    transaction_id only, has no field for an event's id, and accepts every request: values that
    break its rules are trimmed or skipped here.
    """

    slug = "google-analytics"
    label = "Google Analytics 4"
    category = "analytics"
    summary = gettext_lazy("Events and purchases by Google's Measurement Protocol.")
    docs_url = "https://developers.google.com/analytics/devguides/collection/protocol/ga4"
    aliases = ("Google Analytics", "GA4", "Actions Google Analytics 4")
    Config = GoogleAnalyticsConfig

    takes = frozenset({"track", "page"})
    idempotency = ""
    max_batch = 25
    max_bytes = 129_999
    hosts: ClassVar[Mapping[str, str]] = {
        "global": "https://www.google-analytics.com",
        "eu": "https://region1.google-analytics.com",
    }

    rules = RULES

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not self.client_id(event):
            return (
                "Google Analytics requires a client id, an anonymous id or a user id that stands"
                " for somebody."
            )
        if event.received_at - event.occurred_at > OLDEST:
            return "Google Analytics accepts events of the last 72 hours only."
        google = google_event(event)
        if not google.unfit and len(self._body([event], [google])) > self.max_bytes:
            return "Google Analytics accepts at most 130 kB per request."
        return google.unfit

    def left_out(self, event: Event) -> LeftOut:
        lost: LeftOut = {}
        build(event, lost)
        return lost

    def batches(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield the events of each client in their order: a request has one client and one
        consent."""
        clients: dict[bytes, list[Event]] = {}
        for event in events:
            clients.setdefault(msgspec.json.encode(self._envelope(event)), []).append(event)
        for own in clients.values():
            yield from super().batches(own)

    def request(self, events: Sequence[Event]) -> Request:
        body = self._body(events, [google_event(event) for event in events])
        return self._post(f"{self.host}/mp/collect", body)

    async def verify(self, client: Client) -> str:
        """Call Google's validation server, which records nothing and exists on one host only."""
        params = {"engagement_time_msec": 1, "session_id": "1"}
        body = {
            "client_id": "1.1",
            "validation_behavior": "ENFORCE_RECOMMENDATIONS",
            "events": [{"name": "hitstream_verification", "params": params}],
        }
        request = self._post(f"{self.hosts['global']}/debug/mp/collect", msgspec.json.encode(body))
        response = await self.ask(client, request)
        if messages := read_json(response.body).get("validationMessages"):
            words = plain(as_object(messages[0]).get("description"))
            raise SetupError(
                _("Google's validation server answered: %(words)s") % {"words": words},
                exchange=response.exchange,
            )
        return _(
            "Google's validation server accepts the events. It does not check the measurement ID"
            " and the API secret: look for the first hit in Reports → Realtime."
        )

    def client_id(self, event: Event) -> str:
        """Return the client id of the hit's options, else one made from the browser's or the user's
        id.

        Google requires two numbers: an id of another form becomes two numbers that are always the
        same.
        """
        named = re.sub(r"^GA\d\.\d\.", "", plain(event.options.get("clientId")))
        known = usable(named) or browser_of(event) or user_of(event)
        if CLIENT_ID.fullmatch(known):
            return known
        digest = hashlib.sha256(known.encode()).digest()
        parts = (int.from_bytes(digest[at : at + 4], "big") or 1 for at in (0, 4))
        return ".".join(map(str, parts)) if known else ""

    def _envelope(self, event: Event) -> dict[str, Any]:
        """Return the values that all events of a request share. Google limits user ids to 255
        characters."""
        visit, user = read_visit(event), user_of(event)
        return filled(
            {
                "client_id": self.client_id(event),
                "user_id": user if len(user) < 256 else "",
                "ip_override": visit.ip,
                "user_agent": visit.user_agent,
                "consent": self._consent(event),
            }
        )

    def _consent(self, event: Event) -> dict[str, str]:
        """Return the consent of the hit; what it does not state, as the integration says."""
        stated = asdict(read_consent(event))
        default = str(self.config.get("consent") or "").upper()
        words = {True: "GRANTED", False: "DENIED", None: default}
        return filled({name: words[decision] for name, decision in stated.items()})

    def _body(self, events: Sequence[Event], google_events: Sequence[GoogleEvent]) -> bytes:
        named = [{"name": each.name, "params": each.params} for each in google_events]
        return msgspec.json.encode({**self._envelope(events[0]), "events": named})

    def _post(self, url: str, body: bytes) -> Request:
        names = ("measurement_id", "api_secret")
        return Request(
            url=f"{url}?{urlencode({name: self.config[name] for name in names})}",
            body=body,
            headers={"Content-Type": "application/json"},
            secret_query=frozenset({"api_secret"}),
        )
