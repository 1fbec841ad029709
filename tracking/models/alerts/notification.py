"""Notifications of alerts to channels, pending and sent.

A notification is claimed under a lease before it is sent, and marked after. A worker that dies in
between may have sent it; it is sent again when the lease ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from tracking import db
from tracking.models.alerts.alert import Alert, AlertQuerySet
from tracking.models.alerts.channel import AlertChannel

#: Seconds of a claim's lease; longer than any channel takes.
LEASE = 60.0
#: After so many attempts, about a day, a notification is given up.
MAX_ATTEMPTS = 100
#: Notifications in one message at most; the rest follow in the next.
CLAIM = 100


class NotificationKind(models.TextChoices):
    OPENED = "opened", pgettext_lazy("notification", "Opened")
    STILL_OPEN = "still_open", pgettext_lazy("notification", "Still open")
    RESOLVED = "resolved", pgettext_lazy("notification", "Resolved")


class NotificationQuerySet(models.QuerySet["Notification"]):
    def enqueue(self) -> None:
        """Create the missing notifications for every enabled channel: opened alerts whose condition
        holds, resolved alerts that were announced, and alerts still open when a mute ends, if they
        were announced before it."""
        audible = Alert.objects.exclude(silent_until__gt=timezone.now())
        for channel in AlertChannel.objects.filter(enabled=True):
            everybody = Q(rule__channels=None)
            ours = audible.filter(everybody | Q(rule__channels=channel))
            opened = self._heard(channel, NotificationKind.OPENED)
            failing = ours.open().filter(fine_since=None)
            self._enqueue(channel, NotificationKind.OPENED, failing.exclude(opened))
            spoken_of = ours.open().filter(self._heard_before_silence(channel))
            self._enqueue(
                channel,
                NotificationKind.STILL_OPEN,
                spoken_of.exclude(self._heard(channel, NotificationKind.STILL_OPEN)),
            )
            over = (
                audible.over()
                .filter(opened)
                .exclude(self._heard(channel, NotificationKind.RESOLVED))
            )
            self._enqueue(channel, NotificationKind.RESOLVED, over)

    def _heard(self, channel: AlertChannel, kind: NotificationKind) -> Exists:
        return Exists(Notification.objects.filter(alert=OuterRef("pk"), channel=channel, kind=kind))

    def _heard_before_silence(self, channel: AlertChannel) -> Exists:
        opened = Notification.objects.filter(
            alert=OuterRef("pk"), channel=channel, kind=NotificationKind.OPENED
        )
        return Exists(opened.filter(sent_at__lt=OuterRef("silent_until")))

    def _enqueue(
        self, channel: AlertChannel, kind: NotificationKind, alerts: AlertQuerySet
    ) -> None:
        self.bulk_create(
            [Notification(alert=alert, channel=channel, kind=kind) for alert in alerts.distinct()],
            ignore_conflicts=True,
        )

    def forget_still_open(self) -> None:
        """Delete the announcements that an alert is still open, so that the end of a later mute
        makes new ones."""
        self.filter(kind=NotificationKind.STILL_OPEN).delete()

    def due(self) -> NotificationQuerySet:
        """Return the notifications to send now, the oldest first, without those of muted alerts."""
        now = timezone.now()
        due = self.filter(sent_at=None, next_at__lte=now, channel__enabled=True)
        return due.exclude(alert__silent_until__gt=now).order_by("pk")

    def claim(self, channel: AlertChannel) -> list[Notification]:
        """Claim the channel's due notifications for the length of the lease."""
        using = db.write_alias()
        with transaction.atomic(using=using):
            due = self.using(using).due().filter(channel=channel)
            found = list(due.select_for_update(of=("self",), skip_locked=True)[:CLAIM])
            self.using(using).filter(pk__in=[notification.pk for notification in found]).update(
                next_at=timezone.now() + timedelta(seconds=LEASE), attempts=F("attempts") + 1
            )
        alerts = Alert.objects.using(using).select_related("rule", "token", "integration__token")
        known = alerts.in_bulk([notification.alert_id for notification in found])
        for notification in found:
            notification.alert = known[notification.alert_id]
        return found

    def done(self, notifications: Iterable[Notification]) -> None:
        """Mark the notifications as sent."""
        ids = [notification.pk for notification in notifications]
        self.filter(pk__in=ids).update(sent_at=timezone.now(), next_at=None, error="")

    def put_off(
        self, notifications: Iterable[Notification], *, error: str, until: datetime
    ) -> None:
        """Schedule the failed notifications again, except those with too many attempts."""
        ids = [notification.pk for notification in notifications]
        failed = self.filter(pk__in=ids)
        failed.update(next_at=until, error=error)
        failed.filter(attempts__gte=MAX_ATTEMPTS).update(next_at=None)


class Notification(models.Model):
    """A notification. `next_at` is None once it is sent or given up."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notifications")
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE)
    kind = models.CharField(max_length=10, choices=NotificationKind.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "channel", "kind"), name="hitstream_notification_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("next_at",),
                name="hitstream_notification_due",
                condition=models.Q(sent_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel}: {self.alert} ({self.kind})"
