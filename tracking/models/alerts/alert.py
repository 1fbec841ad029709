"""Alerts, open and resolved: one open alert for each rule and subject.

An alert opens when its condition holds, and is resolved when the condition has not held for a
while. In between the condition may come and go. Each round of `tracking.alerts.evaluate` looks for
findings and settles them here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models.alerts.rule import AlertRule
from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token

#: Days for which a resolved alert stays on record.
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A condition that holds now: its subject, unique within the rule, and a sentence for the
    operator who fixes it."""

    subject: str
    message: str
    token: Token | None = None
    integration: Integration | None = None


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.filter(resolved_at=None)

    def over(self) -> AlertQuerySet:
        return self.exclude(resolved_at=None)

    def settle(self, rule: AlertRule, findings: Iterable[Finding]) -> None:
        """Open an alert for each finding, and resolve alerts without one after the rule's quiet
        minutes. The caller holds the rule's lock, so no two rounds settle it at once."""
        known = {alert.subject: alert for alert in self.open().filter(rule=rule)}
        for finding in findings:
            alert = known.pop(finding.subject, None)
            if alert is None:
                self.raise_(rule, finding)
            else:
                alert.message, alert.fine_since = finding.message, None
                alert.found_at = timezone.now()
                alert.save(update_fields=("message", "fine_since", "found_at"))
        for alert in known.values():
            alert.calm_down(timedelta(minutes=rule.calm) if rule.enabled else timedelta())

    def raise_(self, rule: AlertRule, finding: Finding) -> Alert:
        """Open a new alert. A mute of the previous alert on the same subject still holds."""
        last = self.filter(rule=rule, subject=finding.subject).order_by("-pk").first()
        alert = Alert(
            rule=rule,
            subject=finding.subject,
            message=finding.message,
            token=finding.token,
            integration=finding.integration,
        )
        if last is not None and last.is_silent:
            alert.silent_until, alert.silent_reason = last.silent_until, last.silent_reason
            alert.silenced_by = last.silenced_by
        alert.save()
        return alert

    def prune(self) -> int:
        """Delete alerts that were resolved long ago. Returns how many."""
        old = timezone.now() - timedelta(days=KEPT_DAYS)
        return self.filter(resolved_at__lt=old).delete()[0]


class Alert(models.Model):
    """An alert. `message` describes the condition as found at `found_at`; `fine_since` is set while
    the condition no longer holds but the alert is not yet resolved."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, verbose_name=_("rule"))
    subject = models.CharField(_("subject"), max_length=100)
    token = models.ForeignKey(Token, on_delete=models.CASCADE, null=True, verbose_name=_("token"))
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, null=True, verbose_name=_("integration")
    )
    message = models.TextField(_("message"))
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    fine_since = models.DateTimeField(_("fine since"), null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, db_index=True)
    silent_until = models.DateTimeField(_("silent until"), null=True)
    silent_reason = models.CharField(_("silent reason"), max_length=300, blank=True, default="")
    silenced_by = models.CharField(_("silenced by"), max_length=150, blank=True, default="")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "subject"),
                name="hitstream_alert_open",
                condition=models.Q(resolved_at=None),
            ),
        )
        indexes = (models.Index(fields=("rule", "subject", "id"), name="hitstream_alert_last"),)
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")

    def __str__(self) -> str:
        return self.message

    @property
    def is_silent(self) -> bool:
        return self.silent_until is not None and self.silent_until > timezone.now()

    @property
    def about(self) -> str:
        """The token and the integration by name; empty for the system."""
        return str(self.integration or self.token or "")

    @property
    def title(self) -> str:
        """The condition and what it is about, without numbers."""
        label = self.rule.get_kind_display()
        return f"{label}: {self.about}" if self.about else str(label)

    def calm_down(self, calm: timedelta) -> None:
        """Note that the condition does not hold now; resolve the alert if that has lasted long
        enough."""
        now = timezone.now()
        self.fine_since = self.fine_since or now
        if now - self.fine_since >= calm:
            self.resolved_at = now
        self.save(update_fields=("fine_since", "resolved_at"))

    def silence(self, *, until: datetime, reason: str, by: str) -> None:
        """Mute the alert until then. An alert that is still open then is announced once more."""
        self.notifications.forget_still_open()
        self.silent_until, self.silent_reason, self.silenced_by = until, reason, by
        self.save(update_fields=("silent_until", "silent_reason", "silenced_by"))

    def end_silence(self) -> None:
        """Unmute the alert."""
        self.silent_until, self.silent_reason, self.silenced_by = None, "", ""
        self.save(update_fields=("silent_until", "silent_reason", "silenced_by"))
