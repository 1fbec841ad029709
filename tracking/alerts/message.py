"""What a channel is told at once: all that has changed since it was told last."""

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
    NotificationKind.RESOLVED: "over",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One alert: what has become of it, and what it says."""

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
    """`key` is the same for the same notices, so that a receiver can tell a repeated message."""

    key: str
    title: str
    lines: Sequence[MessageLine]

    @property
    def url(self) -> str:
        """The console's page of alerts; empty if the deployment does not say where that is."""
        try:
            path = reverse("hitstream-console:alerts")
        except NoReverseMatch:
            return ""
        return f"{conf.PUBLIC_URL.rstrip('/')}{path}" if conf.PUBLIC_URL else ""


def compose(notices: Sequence[Notification]) -> Message:
    """One message of them all, what is wrong first."""
    ordered = sorted(
        notices, key=lambda notice: [*NotificationKind].index(NotificationKind(notice.kind))
    )
    counts = Counter(NotificationKind(notice.kind) for notice in ordered)
    said = ", ".join(f"{count} {WORDS[kind]}" for kind, count in counts.items())
    first = ordered[0].alert.message
    name = first if len(ordered) == 1 else f"{len(ordered)} alerts"
    ids = ",".join(str(notice.pk) for notice in notices)
    return Message(
        key=f"alerts_{sha256(ids.encode()).hexdigest()[:32]}",
        title=f"Hitstream: {name} ({said})" if len(ordered) > 1 else f"Hitstream: {said}: {first}",
        lines=[line_of(notice) for notice in ordered],
    )


def line_of(notice: Notification) -> MessageLine:
    alert = notice.alert
    return MessageLine(
        state=NotificationKind(notice.kind),
        text=alert.message,
        kind=alert.rule.kind,
        alert_id=alert.pk,
        token=alert.token.name if alert.token else "",
        integration=alert.integration.name if alert.integration else "",
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
    )


def test_message() -> Message:
    """What a channel's test says."""
    return Message(key="", title="Hitstream: a test. This channel works.", lines=())
