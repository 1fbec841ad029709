"""PostHog, through its batch endpoint.

Source: "Capture and batch API endpoints" (https://posthog.com/docs/api/capture), sections "Batch
events" (below 20 MB, any number of events), "Alias", "Group identify", "Groups", "Identify",
"Pageview", "Screen view" and "Invalid events" (an event without a name or a distinct_id is dropped
and answered with 200); PostHog/posthog, rust/capture (`uuid` of an event, `quota_limited` of a
response) and posthog-js ($anon_distinct_id); "Ingestion warnings" (an event of 1 MB is discarded);
"Flags - the feature flags evaluation API endpoint" (https://posthog.com/docs/api/flags).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.coerce import as_object, read_json
from tracking.destinations.spec.event_names import meaning, own_name
from tracking.destinations.spec.ids import browser_of, someone, usable, user_of
from tracking.destinations.spec.limits import beside, describe_campaign, describe_sale, filled
from tracking.destinations.spec.omissions import NO_SENTENCE, LeftOut, Rule, under
from tracking.destinations.spec.person import read_visit
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.posthog.config import PostHogConfig
from tracking.events import Event, Receipt
from tracking.exceptions import RetryableError

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client, Response

#: The catalogue's name → PostHog's name. All other events keep their own names.
EVENTS = {"Viewed Page": "$pageview", "Viewed Screen": "$screen"}
TYPES = {"identify": "$identify", "group": "$groupidentify", "alias": "$create_alias"}
#: The properties that PostHog takes as objects.
MERGED = ("$set", "$groups")
PAGE, URL = "Capture and batch API endpoints", "https://posthog.com/docs/api/capture"
NO_OBJECT = Rule(
    "posthog_no_object",
    _("PostHog takes $set and $groups only as objects."),
    f"{PAGE}, sections Identify and Groups: $set and $groups are objects",
    URL,
    NO_SENTENCE,
)
NAMED = Rule(
    "posthog_named",
    _("PostHog reads the alias or the group of the event from the property of this name."),
    f"{PAGE}, section Alias; section Group identify: $group_type, $group_key and $group_set",
    URL,
    "In this example, 123 is merged into 456 and 456 becomes the main distinct_id for events"
    " associated with 123.",
)


class PostHog(Destination):
    """PostHog. It recognises a duplicate by uuid, name, user and time, which a retry does not
    change."""

    slug = "posthog"
    label = "PostHog"
    category = "analytics"
    summary = _("Events and persons, in PostHog's cloud or your own.")
    docs_url = "https://posthog.com/docs/api/capture"
    Config = PostHogConfig

    takes = frozenset({"track", "page", "screen", "identify", "group", "alias"})
    idempotency = "uuid"
    max_batch = 1_000
    max_bytes = 20_000_000 - 1
    hosts: ClassVar[Mapping[str, str]] = {
        "us": "https://us.i.posthog.com",
        "eu": "https://eu.i.posthog.com",
    }

    rules = (NO_OBJECT, NAMED)

    @property
    def host(self) -> str:
        return str(self.config.get("url") or super().host).rstrip("/")

    def skip(self, event: Event) -> str:
        if reason := super().skip(event):
            return reason
        if not someone(event):
            return "PostHog requires a user id or an anonymous id that stands for somebody."
        if event.type == "group" and not usable(event.group_id):
            return "PostHog requires a group id."
        if event.type == "alias" and not (usable(event.previous_id) and user_of(event)):
            return "PostHog requires the previous id and the user id for an alias."
        if event.type not in TYPES and not own_name(event):
            return "PostHog requires a name for every event."
        return ""

    def request(self, events: Sequence[Event]) -> Request:
        return self._post("/batch/", {"batch": [self._event(event) for event in events]})

    def receipt(self, events: Sequence[Event], response: Response) -> Receipt:
        """Return the receipt. If the project's quota is exhausted, PostHog stores nothing and
        answers 200: that raises RetryableError."""
        if read_json(response.body).get("quota_limited"):
            raise RetryableError(
                "PostHog stored nothing: the project's quota of events is exhausted.",
                exchange=response.exchange,
            )
        return super().receipt(events, response)

    async def verify(self, client: Client) -> str:
        """Request the feature flags, which records nothing and requires a valid key."""
        body = {"distinct_id": "hitstream-verification"}
        await self.ask(client, self._post("/flags/?v=2", body))
        return gettext("PostHog accepted the project API key. Nothing was recorded.")

    def _event(self, event: Event) -> dict[str, Any]:
        name = TYPES.get(event.type) or EVENTS.get(meaning(event)) or own_name(event)
        who = event.previous_id if event.type == "alias" else someone(event)
        return {
            "uuid": str(event.id),
            "event": name,
            "distinct_id": who,
            "timestamp": event.occurred_at.astimezone(UTC),
            "properties": self._properties(event),
        }

    def left_out(self, event: Event) -> LeftOut:
        own = event.properties
        odd = [(name,) for name in MERGED if name in own and not isinstance(own[name], Mapping)]
        named = [(name,) for name in self._named(event) if name in own]
        return {**under("properties", odd, NO_OBJECT), **under("properties", named, NAMED)}

    def _properties(self, event: Event) -> dict[str, Any]:
        """Return the sender's own properties as they are, and the derived ones beside them. What
        PostHog knows as objects is merged: there, too, the sender's entries stay."""
        own, special = event.properties, self._special(event)
        merged = {}
        for name in MERGED:
            if name in special or isinstance(own.get(name), Mapping):
                merged[name] = {**as_object(special.get(name)), **as_object(own.get(name))}
        kept = {name: value for name, value in own.items() if name not in MERGED}
        return {**beside(kept, {**special, **_place(event)}), **merged, **self._named(event)}

    def _named(self, event: Event) -> dict[str, Any]:
        """Return what makes the event an alias, a group or an identification."""
        if event.type == "alias":
            return {"alias": event.user_id}
        if event.type == "group":
            named = {"$group_type": self._group_type, "$group_key": event.group_id}
            return {**named, "$group_set": dict(event.traits)}
        if event.type == "identify":
            return filled({"$anon_distinct_id": browser_of(event) if user_of(event) else ""})
        return {}

    @property
    def _group_type(self) -> str:
        return str(self.config.get("group_type") or "company")

    def _special(self, event: Event) -> dict[str, Any]:
        """Return the derived properties of the event."""
        if event.type in TYPES:
            is_person = event.type == "identify" and event.traits
            return {"$set": dict(event.traits)} if is_person else {}
        traits = {k: v for k, v in event.traits.items() if k not in {"userId", "anonymousId"}}
        group = usable(event.group_id)
        derived = {**describe_campaign(event), **describe_sale(event)}
        groups = {self._group_type: group} if group else {}
        return {**derived, **filled({"$groups": groups, "$set": traits})}

    def _post(self, path: str, body: Mapping[str, Any]) -> Request:
        return Request(
            url=self.host + path,
            body=msgspec.json.encode({"api_key": self.config["api_key"], **body}),
            headers={"Content-Type": "application/json"},
        )


def _place(event: Event) -> dict[str, Any]:
    """Return the visitor's address, page and device. Without the address PostHog would look up
    Hitstream's own."""
    visit, context = read_visit(event), event.context
    known = {
        "$ip": visit.ip,
        "$current_url": visit.url,
        "$referrer": visit.referrer,
        "$raw_user_agent": visit.user_agent,
        "$os": as_object(context.get("os")).get("name"),
        "$browser": as_object(context.get("browser")).get("name"),
        "$screen_name": event.name if event.type == "screen" else "",
        "$geoip_disable": None if visit.ip else True,
    }
    return filled(known)
