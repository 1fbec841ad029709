"""The message to a channel: everything that changed since the last one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.timesince import timesince

from tracking.conf import conf
from tracking.models import Notification
from tracking.models.alerts.notification import NotificationKind

WORDS = {
    NotificationKind.OPENED: "new",
    NotificationKind.STILL_OPEN: "still open",
    NotificationKind.RESOLVED: "resolved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One alert in a message: its new state, and its text."""

    state: NotificationKind
    text: str
    kind: str
    alert_id: int
    token: str
    integration: str
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `key` is the same for the same notifications, so that a receiver can recognise a
    repeated message."""

    key: str
    title: str
    lines: Sequence[MessageLine]

    @property
    def url(self) -> str:
        """The address of the console's alerts page; empty if the deployment sets none."""
        try:
            path = reverse("hitstream-console:alerts")
        except NoReverseMatch:
            return ""
        return f"{conf.PUBLIC_URL.rstrip('/')}{path}" if conf.PUBLIC_URL else ""


def compose(notifications: Sequence[Notification]) -> Message:
    """Return one message for all notifications, opened alerts first. It is English, as the stored
    messages of alerts are."""
    ordered = sorted(
        notifications,
        key=lambda notification: [*NotificationKind].index(NotificationKind(notification.kind)),
    )
    ids = ",".join(str(notification.pk) for notification in notifications)
    with translation.override(None):
        return Message(
            key=f"alerts_{sha256(ids.encode()).hexdigest()[:32]}",
            title=title_of(ordered),
            lines=[line_of(notification) for notification in ordered],
        )


def title_of(notifications: Sequence[Notification]) -> str:
    """Return the text of the only notification, or how many there are of each kind."""
    kinds = [NotificationKind(notification.kind) for notification in notifications]
    if len(kinds) == 1:
        return f"Hitstream: {WORDS[kinds[0]]}: {text_of(notifications[0])}"
    counts = ", ".join(f"{count} {WORDS[kind]}" for kind, count in Counter(kinds).items())
    return f"Hitstream: {len(kinds)} alerts ({counts})"


def line_of(notification: Notification) -> MessageLine:
    alert = notification.alert
    return MessageLine(
        state=NotificationKind(notification.kind),
        text=text_of(notification),
        kind=alert.rule.kind,
        alert_id=alert.pk,
        token=alert.token.name if alert.token else "",
        integration=alert.integration.name if alert.integration else "",
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
    )


def text_of(notification: Notification) -> str:
    """Return the alert's message; for a resolved alert, whose message is no longer true, its title
    and how long it lasted."""
    alert = notification.alert
    if notification.kind != NotificationKind.RESOLVED:
        return alert.message
    lasted = timesince(alert.opened_at, alert.resolved_at).replace("\xa0", " ")
    return f"{alert.title}, open for {lasted}"


def test_message() -> Message:
    """Return the message of a channel's test."""
    return Message(key="", title="Hitstream: a test. This channel works.", lines=())
