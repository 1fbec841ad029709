"""The Channel of each kind."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.alerts.channels.base import Channel
from tracking.alerts.channels.email import EmailChannel
from tracking.alerts.channels.slack import SlackChannel
from tracking.alerts.channels.webhook import WebhookChannel
from tracking.models import AlertChannel
from tracking.models.alerts.channel import ChannelKind

CHANNELS: Mapping[str, type[Channel]] = {
    ChannelKind.EMAIL: EmailChannel,
    ChannelKind.SLACK: SlackChannel,
    ChannelKind.WEBHOOK: WebhookChannel,
}


def open_channel(channel: AlertChannel) -> Channel:
    """Return the channel, ready to send; its secrets are decrypted here. Raises SetupError."""
    return CHANNELS[channel.kind](channel.settings())
