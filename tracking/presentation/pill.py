"""States as coloured labels."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tracking.models import AlertChannel, FileImport, Integration, Operation
from tracking.models.hits.file_import import GIVEN_UP
from tracking.models.integrations.pause import Cause
from tracking.models.operations.operation import OperationState

#: The label of a pause that ends by itself, before the time of the next probe.
PAUSES = {
    Cause.DOWN: gettext_lazy("down, next probe %(time)s"),
    Cause.SETUP: gettext_lazy("wrong configuration, next probe %(time)s"),
    Cause.BUSY: gettext_lazy("rate limited until %(time)s"),
}

OPERATION_COLOURS = {
    OperationState.WAITING: "off",
    OperationState.RUNNING: "paused",
    OperationState.STOPPED: "off",
    OperationState.FINISHED: "good",
    OperationState.FAILED: "bad",
}


def pill(state: str, text: str, title: str = "") -> SafeString:
    """Return the text as a label in the colour of the state."""
    return format_html('<span class="hs-pill hs-{}" title="{}">{}</span>', state, title, text)


def state_of_integration(integration: Integration, *, rejected: int = 0) -> SafeString:
    """Return the state. `rejected` are the dead letters of an integration of which nothing was
    delivered lately."""
    if not (integration.enabled or integration.draining):
        return pill("off", _("disabled"))
    if integration.paused_at:
        return pill("paused", pause_of(integration), integration.paused_reason)
    if integration.is_failing:
        return pill("bad", failure_of(integration), integration.failure_shown)
    if integration.draining:
        return pill(
            "paused", _("draining"), _("New hits are not queued; queued hits are still sent.")
        )
    if rejected:
        text = ngettext(
            "rejected: %(number)s dead letter", "rejected: %(number)s dead letters", rejected
        )
        return pill("bad", text % {"number": f"{rejected:,}"})
    return pill("good", _("running"))


def pause_of(integration: Integration) -> str:
    """Return who or what paused the integration, and the time of the next probe if there is one."""
    words = PAUSES.get(Cause(integration.paused_cause)) if integration.paused_cause else None
    if words is None or integration.probe_at is None:
        return _("paused by %(who)s") % {"who": integration.paused_by or _("an unknown user")}
    return words % {"time": clock_time(integration.probe_at)}


def failure_of(integration: Integration) -> str:
    """Return how many requests failed in a row, how the last one did, and since when."""
    failures = {
        "count": f"{integration.consecutive_failures:,}",
        "cause": integration.failure_cause,
    }
    if integration.failing_since is None:
        return _("failing: %(count)s in a row, %(cause)s") % failures
    since = clock_time(integration.failing_since)
    text = _("failing since %(time)s: %(count)s in a row, %(cause)s")
    return text % {"time": since, **failures}


def clock_time(moment: datetime) -> str:
    """Return the time of day, in the time zone of the page; the date and the minute if the day is
    not today."""
    local = timezone.localtime(moment)
    return (
        f"{local:%H:%M:%S}" if local.date() == timezone.localdate() else f"{local:%Y-%m-%d %H:%M}"
    )


def state_of_channel(channel: AlertChannel) -> SafeString:
    if not channel.enabled:
        return pill("off", _("disabled"))
    if channel.error:
        return pill("bad", _("fails"), channel.error)
    return pill("good", _("works")) if channel.notified_at else pill("off", _("not notified yet"))


def state_of_operation(operation: Operation) -> SafeString:
    state = OperationState(operation.state)
    return pill(OPERATION_COLOURS[state], str(state.label), operation.message)


def state_of_import(imported: FileImport) -> SafeString:
    if imported.finished_at:
        return pill("good", _("Finished"))
    if timezone.now() - imported.started_at < GIVEN_UP:
        return pill("paused", _("Running"))
    return pill("off", _("Broken off"))
