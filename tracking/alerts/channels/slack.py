"""To a Slack channel, by an incoming webhook (see `tracking.destinations.slack`)."""

from __future__ import annotations

from itertools import accumulate

from tracking.alerts.channels.base import Channel, post
from tracking.alerts.message import WORDS, Message
from tracking.destinations import slack
from tracking.destinations.config import ConfigForm
from tracking.models.notice import What

#: Characters for what is told; the rest is for how many were left out, and where they are.
ROOM = slack.TEXT_LIMIT - 300
SIGNS = {
    What.OPENED: ":red_circle:",
    What.STILL_OPEN: ":red_circle:",
    What.RESOLVED: ":large_green_circle:",
}


class SlackConfig(ConfigForm):
    webhook_url = slack.WebhookUrlField(
        label="Webhook URL",
        help_text="https://api.slack.com/apps, your app, Incoming Webhooks, Webhook URL.",
    )


class Slack(Channel):
    Config = SlackConfig
    docs_url = slack.Slack.docs_url

    def send(self, message: Message) -> str:
        """Raises DeliveryError."""
        destination = slack.Slack(self.config)
        return post(destination, destination.post(write(message)))


def write(message: Message) -> str:
    """Slack's mrkdwn, with nothing in it that would call people or look like a link. What it has no
    room for is counted."""
    lines = [
        f"{SIGNS[line.what]} *{WORDS[line.what].capitalize()}:* {slack.show(line.text)}"
        for line in message.lines
    ]
    shown = sum(size <= ROOM for size in accumulate(len(line) + 1 for line in lines))
    if shown < len(lines):
        where = f": {message.url}" if message.url else "."
        lines[shown:] = [f"… and {len(lines) - shown} more{slack.show(where)}"]
    return "\n".join(lines) or slack.show(message.title)
