"""Notifications to a Slack channel, by an incoming webhook (see `tracking.destinations`)."""

from __future__ import annotations

from itertools import accumulate

from django.utils.translation import gettext_lazy as _

from tracking.alerts.channels.base import Channel, post
from tracking.alerts.message import WORDS, Message
from tracking.destinations.contract.config_form import ConfigForm
from tracking.destinations.vendors.slack import destination as vendor
from tracking.destinations.vendors.slack.config import TEXT_LIMIT, WebhookUrlField
from tracking.models.alerts.notification import NotificationKind

#: Characters for the alerts; the rest is for the number of alerts left out, and the link to them.
ROOM = TEXT_LIMIT - 300
SIGNS = {
    NotificationKind.OPENED: ":red_circle:",
    NotificationKind.STILL_OPEN: ":red_circle:",
    NotificationKind.RESOLVED: ":large_green_circle:",
}


class SlackChannelConfig(ConfigForm):
    webhook_url = WebhookUrlField(
        label=_("Webhook URL"),
        help_text=_("https://api.slack.com/apps, your app, Incoming Webhooks, Webhook URL."),
    )


class SlackChannel(Channel):
    Config = SlackChannelConfig
    docs_url = vendor.Slack.docs_url

    def send(self, message: Message) -> str:
        """Post the message. Raises DeliveryError."""
        destination = vendor.Slack(self.config)
        return post(destination, destination.post(write(message)))


def write(message: Message) -> str:
    """Return Slack's mrkdwn without mentions or links in the alerts' own text. Alerts for which
    there is no room are counted."""
    lines = [
        f"{SIGNS[line.state]} *{WORDS[line.state].capitalize()}:* {vendor.show(line.text)}"
        for line in message.lines
    ]
    shown = sum(size <= ROOM for size in accumulate(len(line) + 1 for line in lines))
    if shown < len(lines):
        where = f": {message.url}" if message.url else "."
        lines[shown:] = [f"… and {len(lines) - shown} more{vendor.show(where)}"]
    return "\n".join(lines) or vendor.show(message.title)
