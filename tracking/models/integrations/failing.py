"""The failures in a row of an integration: persisted, so that they outlive a run of the worker."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

#: The codes of requests that failed without an answer, as people read them.
CAUSES = {
    "": _("Request"),
    "delivery_failed": _("Delivery failed"),
    "destination_failed": _("Destination failed"),
    "permanent": _("Permanent"),
    "retryable": _("Retryable"),
    "setup": _("Wrong configuration"),
}
#: Failed requests in a row that make an integration *failing*. One alone is soon retried.
FAILING = 2


class Failing(models.Model):
    """The part of an integration that describes its latest failures.

    `consecutive_failures` counts failed requests since the last successful one; `failing_since` is
    the time of the first of them, and the `failure_` fields describe the last. A request that the
    destination answers with the refusal of single hits is no failure: the destination works.
    `tracking.models.deliveries.settle` writes them, and only when they change.
    """

    consecutive_failures = models.PositiveIntegerField(
        _("consecutive failures"), default=0, editable=False
    )
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failure_status = models.PositiveSmallIntegerField(
        _("failure status"), null=True, editable=False
    )
    failure_code = models.CharField(_("failure code"), max_length=50, blank=True, editable=False)
    failure_message = models.TextField(_("failure message"), blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_failing(self) -> bool:
        return self.consecutive_failures >= FAILING

    @property
    def failure_cause(self) -> str:
        """The last failure in a word or two."""
        return failure_cause(self.failure_status, self.failure_code, self.failure_message)

    @property
    def failure_shown(self) -> str:
        """The failures in a row as a sentence in the language of the page; empty if the integration
        is not failing."""
        if not self.is_failing:
            return ""
        text = ngettext(
            "%(count)s request in a row failed, the last with: %(message)s",
            "%(count)s requests in a row failed, the last with: %(message)s",
            self.consecutive_failures,
        )
        count = f"{self.consecutive_failures:,}"
        return text % {"count": count, "message": self.failure_message}

    @property
    def failure_text(self) -> str:
        """The failures in a row as a sentence for records; empty if the integration is not
        failing."""
        if not self.is_failing:
            return ""
        return failure_text(self.consecutive_failures, self.failure_message)


class Streak(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has to add: `failures` failed requests, after a successful one if `recovered`.
    The first of them failed at `since`; the other fields describe the last."""

    recovered: bool = False
    failures: int = 0
    since: datetime | None = None
    status: int | None = None
    code: str = ""
    message: str = ""


def failure_cause(status: int | None, code: str, message: str) -> str:
    """Return the HTTP status of a request, or why it has none."""
    if status:
        return f"HTTP {status}"
    if "timed out" in message.lower():
        return gettext("Timeout")
    cause = CAUSES.get(code)
    return code.replace("_", " ").capitalize() if cause is None else str(cause)


def failure_text(failures: int, message: str) -> str:
    """Return the sentence about so many failures in a row, the last with this message. The same in
    every list, in alerts and in the reason of a pause."""
    return f"{failures:,} requests in a row failed, the last with: {message}"
