"""Notifications to any HTTP endpoint, signed by Standard Webhooks (see `tracking.destinations`).

The body is `{"type": "alerts", "timestamp": …, "data": {"title": …, "alerts": […]}}`; a test's type
is `test`, without alerts. `webhook-id` is the same for a message that is sent again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from tracking.alerts.channels.base import Channel, post
from tracking.alerts.message import Message, MessageLine
from tracking.destinations.contract.form_fields import HttpUrlField
from tracking.destinations.vendors.webhook import destination as vendor
from tracking.destinations.vendors.webhook.config import WebhookConfig


class WebhookChannelConfig(WebhookConfig):
    """The destination's configuration without the fields about hits."""

    url = HttpUrlField(label=_("URL"), help_text=_("URL that receives the alerts."))
    batch_size = None  # type: ignore[assignment]
    timeout = None  # type: ignore[assignment]


class WebhookChannel(Channel):
    Config = WebhookChannelConfig
    docs_url = vendor.Webhook.docs_url

    def send(self, message: Message) -> str:
        """Post the message. Raises DeliveryError."""
        destination = vendor.Webhook(self.config)
        now = datetime.now(UTC)
        body = {
            "type": "alerts" if message.lines else "test",
            "timestamp": now,
            "data": {
                "title": message.title,
                "alerts": [describe(line) for line in message.lines],
            },
        }
        key = message.key or f"test_{int(now.timestamp())}"
        return post(destination, destination.sign(msgspec.json.encode(body), key))


def describe(line: MessageLine) -> dict[str, Any]:
    """Return the alert as the receiver sees it; times are UTC."""
    return {
        "id": line.alert_id,
        "state": line.state.value,
        "kind": line.kind,
        "token": line.token or None,
        "integration": line.integration or None,
        "message": line.text,
        "openedAt": line.opened_at.astimezone(UTC),
        "resolvedAt": line.resolved_at and line.resolved_at.astimezone(UTC),
    }
