"""The pause of an integration: its cause, and how an automatic pause ends."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models.integrations.failing import Failing

HITSTREAM = "hitstream"
#: The fields of a pause.
PAUSED = ("paused_at", "paused_by", "paused_reason", "paused_cause", "probe_at", "probes")


class Cause(models.TextChoices):
    """The cause of a pause. All but the first end by themselves, after a probe."""

    OPERATOR = "operator", _("Paused by an operator")
    SETUP = "setup", _("The configuration is wrong")
    DOWN = "down", _("The destination is down")
    BUSY = "busy", _("The destination asked to wait")


#: Seconds before the first probe, and at most; each gap is twice the one before.
GAPS = {Cause.SETUP: (60.0, 3600.0), Cause.DOWN: (5.0, 300.0)}


class Pausable(Failing):
    """The part of an integration that describes its pause."""

    paused_at = models.DateTimeField(_("paused at"), null=True, editable=False)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, editable=False)
    paused_reason = models.TextField(_("paused reason"), blank=True, editable=False)
    paused_cause = models.CharField(
        _("paused cause"), max_length=10, blank=True, choices=Cause.choices, editable=False
    )
    #: When one request probes whether the pause may end; None for an operator's pause.
    probe_at = models.DateTimeField(_("probe at"), null=True, editable=False)
    probes = models.PositiveSmallIntegerField(_("probes"), default=0, editable=False)

    #: Of the integration: requests/s.
    rate_limit: int | None

    class Meta:
        abstract = True

    def save(self, *args: Any, by: str = "", **kwargs: Any) -> None:
        super().save(*args, **kwargs)

    def pause(self, *, reason: str = "", by: str = "") -> None:
        """Stop sending until `resume`; hits are still queued. The first operator's name and reason
        stay on record."""
        self.refresh_from_db(fields=PAUSED)
        if self.paused_cause == Cause.OPERATOR:
            return
        self.paused_at, self.paused_by, self.paused_reason = timezone.now(), by, reason
        self.paused_cause, self.probe_at, self.probes = Cause.OPERATOR, None, 0
        self.save(by=by, update_fields=PAUSED)

    def resume(self, *, by: str = "", rate_limit: int | None = None) -> None:
        """End the pause, and count failures from zero; with a `rate_limit`, at so many requests/s
        from now on. `tracking.models.operations.resume` also makes the retries due."""
        self.paused_at, self.paused_by, self.paused_reason = None, "", ""
        self.paused_cause, self.probe_at, self.probes = "", None, 0
        self.consecutive_failures, self.failing_since = 0, None
        fields: tuple[str, ...] = (*PAUSED, "consecutive_failures", "failing_since")
        if rate_limit is not None:
            self.rate_limit, fields = rate_limit, (*fields, "rate_limit")
        self.save(by=by, update_fields=fields)


def gap_of(cause: Cause, probes: int) -> float:
    """Return the seconds until the next probe after so many failed ones."""
    first, longest = GAPS[cause]
    return min(first * float(2 ** min(probes, 20)), longest)
