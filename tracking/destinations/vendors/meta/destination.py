"""Meta (Facebook and Instagram), through the Conversions API.

Source: "Using the API"
(https://developers.facebook.com/documentation/ads-commerce/conversions-api/using-the-api), sections
"Send Requests" and "Batch Requests" (1,000 events; one invalid event fails all); "Server Event
Parameters" (event_time: 7 days; event_id; action_source; opt_out); "Data Processing Options for US
Users" (LDU); "Conversion Tracking"
(https://developers.facebook.com/documentation/meta-pixel/implementation/conversion-tracking),
section "Tracking Custom Events": names "cannot exceed 50 characters in length"; "Ads Pixel", its
reading and its error codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.advertising import limits_use, skips_denied
from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, plain, read_json
from tracking.destinations.spec.consent import read_consent, read_flag
from tracking.destinations.spec.ecommerce import read_sale, worth
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.limits import filled
from tracking.destinations.spec.omissions import LeftOut
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.meta.config import MetaConfig
from tracking.destinations.vendors.meta.events import (
    EVENTS,
    RULES,
    custom_data,
    is_matchable,
    left_out_of,
    user_data,
)
from tracking.events import Event
from tracking.exceptions import RetryableError, SetupError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

OLDEST = timedelta(days=7)
#: Of the name of a custom event. A longer one would refuse the events beside it, too.
MAX_NAME = 50
#: Retryable error codes of the Graph API: unknown error, service down, too many calls.
AGAIN = frozenset({1, 2, 4, 17, 32, 341, 613, 80004})
#: Error codes that blame the token, its permissions or the pixel's id.
WRONG_SETUP = frozenset({10, 102, 104, 190, 200})
#: Limited Data Use. Meta finds out itself whether the person is in a state where it applies.
LIMITED_DATA_USE = {
    "data_processing_options": ["LDU"],
    "data_processing_options_country": 0,
    "data_processing_options_state": 0,
}


class MetaConversions(Destination):
    """Meta: its standard events, with personal data hashed as Meta requires.

    Of an event's own properties only the goods sold are sent: others might identify a person.
    """

    slug = "meta"
    label = "Meta Conversions API"
    category = "advertising"
    summary = gettext_lazy("Conversions for campaigns on Facebook and Instagram.")
    docs_url = "https://developers.facebook.com/documentation/ads-commerce/conversions-api"
    aliases = ("Meta", "Facebook", "Facebook Conversions API", "Facebook Pixel")
    Config = MetaConfig

    takes = frozenset({"track", "page"})
    idempotency = "event_id"
    max_batch = 1_000
    #: Meta publishes no limit.
    max_bytes = 5_000_000
    hosts: ClassVar[Mapping[str, str]] = {"": "https://graph.facebook.com/v25.0"}

    rules = RULES

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not self._name(event):
            return "Meta has no standard event for it."
        if len(self._name(event)) > MAX_NAME:
            return f"Meta accepts names of events of up to {MAX_NAME} characters."
        if event.received_at - event.occurred_at > OLDEST:
            return "Meta accepts events of the last 7 days only."
        if reason := skips_denied(self.config, event):
            return reason
        if not is_matchable(user_data(event, self._country)):
            return "The event has too little personal data for Meta to match it."
        sale = read_sale(event)
        if self._name(event) == "Purchase" and (not sale.currency or worth(sale) is None):
            return "Meta accepts a Purchase only with a currency and a value."
        return ""

    def left_out(self, event: Event) -> LeftOut:
        own = bool(self.config.get("custom_properties"))
        return left_out_of(event, self._country, own=own)

    def request(self, events: Sequence[Event]) -> Request:
        body = {
            "data": [self._event(event) for event in events],
            "test_event_code": self.config.get("test_event_code"),
        }
        encoded = msgspec.json.encode(filled(body))
        return replace(self._ask_for("/events"), method="POST", body=encoded)

    async def verify(self, client: Client) -> str:
        """Read the dataset's id."""
        await self.ask(client, self._ask_for("", fields="id"))
        return _("The access token can read the dataset.")

    async def ask(self, client: Client, request: Request) -> Response:
        """Send the request. Meta answers most errors with 400 and a code."""
        response = await self.send(client, request)
        if response.status == 400:
            self._explain(response)
        response.raise_for_status()
        return response

    def _explain(self, response: Response) -> None:
        error = as_object(read_json(response.body).get("error"))
        words = self.mask(f"Meta answered: {plain(error.get('message'))}")
        if error.get("code") in AGAIN or error.get("is_transient") is True:
            raise RetryableError(words, exchange=response.exchange)
        if error.get("code") in WRONG_SETUP or error.get("error_subcode") == 33:
            raise SetupError(words, exchange=response.exchange)

    def _name(self, event: Event) -> str:
        own = own_name(event) if self.config.get("custom_events") else ""
        return EVENTS.get(meaning(event), own)

    def _event(self, event: Event) -> dict[str, Any]:
        """Return Meta's event. The sender may name the id that the browser's pixel used, so that
        Meta counts the event once."""
        visit = read_visit(event)
        web = bool(visit.url and visit.user_agent)
        own = bool(self.config.get("custom_properties"))
        return filled(
            {
                "event_name": self._name(event),
                "event_time": int(event.occurred_at.timestamp()),
                "event_id": plain(event.options.get("eventId")) or str(event.id),
                "action_source": "website" if web else "other",
                "event_source_url": visit.url,
                "user_data": user_data(event, self._country),
                "custom_data": custom_data(event, own=own),
                "opt_out": self._opts_out(event) or None,
            }
        ) | (LIMITED_DATA_USE if limits_use(self.config, event) else {})

    @property
    def _country(self) -> str:
        return str(self.config.get("default_country") or "")

    def _opts_out(self, event: Event) -> bool:
        """Return whether Meta must not use the event to optimise ads: as the hit's options say,
        else by its consent."""
        flag = read_flag(event, "optOut", "opt_out")
        return read_consent(event).ad_personalization is False if flag is None else flag

    def _ask_for(self, edge: str, **query: str) -> Request:
        query["access_token"] = self.config["access_token"]
        return Request(
            url=f"{self.host}/{quote(self.config['pixel_id'])}{edge}?{urlencode(query)}",
            body=b"",
            method="GET",
            headers={"Content-Type": "application/json"},
            secret_query=frozenset({"access_token"}),
        )
