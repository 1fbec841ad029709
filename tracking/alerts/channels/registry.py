"""Which Channel speaks for which kind."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.alerts.channels.base import Channel
from tracking.alerts.channels.email import Email
from tracking.alerts.channels.slack import Slack
from tracking.alerts.channels.webhook import Webhook
from tracking.models import AlertChannel
from tracking.models.alerts.channel import Kind

CHANNELS: Mapping[str, type[Channel]] = {
    Kind.EMAIL: Email,
    Kind.SLACK: Slack,
    Kind.WEBHOOK: Webhook,
}


def open_channel(channel: AlertChannel) -> Channel:
    """Ready to send; its secrets are decrypted here. Raises SetupError."""
    return CHANNELS[channel.kind](channel.settings())
