"""Slack: a message to a channel for each hit, through an incoming webhook.

Source: Slack's pages "Sending messages using incoming webhooks"
(https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), "Improving error
conditions for Incoming Webhooks" (400 invalid_payload, 403 action_prohibited, 404
channel_not_found, 410 channel_is_archived), "Formatting message text", section "Escaping text" (&,
< and >) and "Rate limits" (one message/s). That a webhook answers `no_text` to an empty text and
posts nothing is observed, not documented.

Slack cannot recognise a duplicate message: after a crash a message may be posted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.slack.config import (
    OBJECTS,
    PLACE,
    PLACES,
    TEXT_LIMIT,
    SlackConfig,
)
from tracking.events import Event

if TYPE_CHECKING:
    from tracking.destinations.transport.http import Client

#: Maximum number of characters of a value.
VALUE_LIMIT = 300
#: Slack's responses to an empty text.
EMPTY = (b"no_text", b"missing_text_or_fallback_or_attachments")


class Slack(Destination):
    """Slack: one message per hit."""

    slug = "slack"
    label = "Slack"
    category = "messaging"
    summary = gettext_lazy("A message in a channel for each hit that matters.")
    docs_url = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"
    Config = SlackConfig

    idempotency = ""

    @property
    def _template(self) -> str:
        initial: str = SlackConfig.base_fields["template"].initial
        return self.config.get("template") or initial

    def skip(self, event: Event) -> str:
        """Skip empty messages as well: Slack answers some of them with 500, as if it were down."""
        if not render(self._template, event).strip():
            return "The message would be empty."
        return super().skip(event)

    def request(self, events: Sequence[Event]) -> Request:
        return self.post("\n".join(render(self._template, event) for event in events))

    async def verify(self, client: Client) -> str:
        """Send an empty text, which Slack does not post."""
        response = await self.send(client, self.post(""))
        if response.status in {400, 500} and any(each in response.body for each in EMPTY):
            return _("The webhook exists. Nothing was posted.")
        response.raise_for_status()
        return _("Slack answered %(status)s to an empty message.") % {"status": response.status}

    def post(self, text: str) -> Request:
        """Return the request that posts this mrkdwn."""
        return Request(
            url=self.config["webhook_url"],
            body=msgspec.json.encode({"text": text}),
            headers={"Content-Type": "application/json"},
            secrets=self.secrets,
        )


def render(template: str, event: Event) -> str:
    """Return the template filled with the event's values. Values are escaped and cut, and never
    read as a template."""
    values = {
        **{name: getattr(event, name) for name in PLACES - {"user", "time"}},
        "user": event.user_id or event.anonymous_id,
        "time": event.occurred_at.isoformat(timespec="seconds"),
        **{name: getattr(event, name) for name in OBJECTS},
    }
    text = PLACE.sub(lambda place: show(find(values, place[1])), template)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def find(values: Any, path: str) -> Any:
    """Return the value at a dotted path of names and list indexes; None if there is none."""
    for name in path.split("."):
        if isinstance(values, Mapping):
            values = values.get(name)
        elif isinstance(values, list) and name.isdigit() and int(name) < len(values):
            values = values[int(name)]
        else:
            return None
    return values


def show(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if len(text) <= VALUE_LIMIT else text[: VALUE_LIMIT - 1] + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
