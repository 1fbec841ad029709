"""That an alert is to be told to a channel, or was.

A notice is claimed under a lease before it is told, and done after: whoever dies in between has
told it, perhaps, and it is told again when the lease is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from tracking import db
from tracking.models.alerts.alert import Alert, AlertQuerySet
from tracking.models.alerts.channel import AlertChannel

#: How long a claimed notice is nobody else's, in seconds; longer than any channel takes.
LEASE = 60.0
#: What could not be told so often is told no more: after about a day.
MAX_ATTEMPTS = 100
#: The most that one message says; the others follow in the next.
CLAIM = 100


class NotificationKind(models.TextChoices):
    OPENED = "opened"
    STILL_OPEN = "still_open", "still open"
    RESOLVED = "resolved"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def enqueue(self) -> None:
        """Whatever an enabled channel should be told and was not is to be told: what opened; what
        is over, if it was told that it opened; what is still open when a silence is over, if it was
        told before that that it opened."""
        audible = Alert.objects.exclude(silent_until__gt=timezone.now())
        for channel in AlertChannel.objects.filter(enabled=True):
            everybody = Q(rule__channels=None)
            ours = audible.filter(everybody | Q(rule__channels=channel))
            opened = self._heard(channel, NotificationKind.OPENED)
            self._enqueue(channel, NotificationKind.OPENED, ours.open().exclude(opened))
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
        """Delete the announcements that an alert is still open, so that the end of a later silence
        makes new ones."""
        self.filter(kind=NotificationKind.STILL_OPEN).delete()

    def due(self) -> NotificationQuerySet:
        """Those to be told now, the oldest first; none of what somebody has silenced since."""
        now = timezone.now()
        due = self.filter(sent_at=None, next_at__lte=now, channel__enabled=True)
        return due.exclude(alert__silent_until__gt=now).order_by("pk")

    def claim(self, channel: AlertChannel) -> list[Notification]:
        """What the channel is to be told now is nobody else's for a while."""
        using = db.write_alias()
        with transaction.atomic(using=using):
            due = self.using(using).due().filter(channel=channel)
            found = list(due.select_for_update(of=("self",), skip_locked=True)[:CLAIM])
            self.using(using).filter(pk__in=[notice.pk for notice in found]).update(
                next_at=timezone.now() + timedelta(seconds=LEASE), attempts=F("attempts") + 1
            )
        alerts = Alert.objects.using(using).select_related("rule", "token", "integration__token")
        known = alerts.in_bulk([notice.alert_id for notice in found])
        for notice in found:
            notice.alert = known[notice.alert_id]
        return found

    def done(self, notices: Iterable[Notification]) -> None:
        """They are told, and never again."""
        ids = [notice.pk for notice in notices]
        self.filter(pk__in=ids).update(sent_at=timezone.now(), next_at=None, error="")

    def put_off(self, notices: Iterable[Notification], *, error: str, until: datetime) -> None:
        """They could not be told: again at that time, unless that was tried too often."""
        ids = [notice.pk for notice in notices]
        failed = self.filter(pk__in=ids)
        failed.update(next_at=until, error=error)
        failed.filter(attempts__gte=MAX_ATTEMPTS).update(next_at=None)


class Notification(models.Model):
    """`next_at` is None once it is told, or given up."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
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
