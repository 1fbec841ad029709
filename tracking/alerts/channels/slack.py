"""To a Slack channel, by an incoming webhook (see `tracking.destinations.slack`)."""

from __future__ import annotations

from tracking.alerts.channels.base import Channel, post
from tracking.alerts.message import WORDS, Message
from tracking.destinations import slack
from tracking.destinations.config import ConfigForm
from tracking.models.notice import What

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
    """Slack's mrkdwn, with nothing in it that would call people or look like a link."""
    lines = [
        f"{SIGNS[line.what]} *{WORDS[line.what].capitalize()}:* {slack.show(line.text)}"
        for line in message.lines
    ]
    text = "\n".join(lines) or slack.show(message.title)
    return text if len(text) <= slack.TEXT_LIMIT else text[: slack.TEXT_LIMIT - 1] + "…"
