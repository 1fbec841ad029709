"""The message to a channel: everything that changed since the last one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.urls import NoReverseMatch, reverse

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
    """Return one message for all notifications, opened alerts first."""
    ordered = sorted(
        notifications,
        key=lambda notification: [*NotificationKind].index(NotificationKind(notification.kind)),
    )
    counts = Counter(NotificationKind(notification.kind) for notification in ordered)
    summary = ", ".join(f"{count} {WORDS[kind]}" for kind, count in counts.items())
    first = ordered[0].alert.message
    name = first if len(ordered) == 1 else f"{len(ordered)} alerts"
    ids = ",".join(str(notification.pk) for notification in notifications)
    return Message(
        key=f"alerts_{sha256(ids.encode()).hexdigest()[:32]}",
        title=f"Hitstream: {name} ({summary})"
        if len(ordered) > 1
        else f"Hitstream: {summary}: {first}",
        lines=[line_of(notification) for notification in ordered],
    )


def line_of(notification: Notification) -> MessageLine:
    alert = notification.alert
    return MessageLine(
        state=NotificationKind(notification.kind),
        text=alert.message,
        kind=alert.rule.kind,
        alert_id=alert.pk,
        token=alert.token.name if alert.token else "",
        integration=alert.integration.name if alert.integration else "",
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
    )


def test_message() -> Message:
    """Return the message of a channel's test."""
    return Message(key="", title="Hitstream: a test. This channel works.", lines=())
