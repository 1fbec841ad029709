"""States as coloured labels."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracking.models import AlertChannel, Integration, Operation
from tracking.models.integrations.pause import Cause
from tracking.models.operations.operation import OperationState

#: The label of a pause that ends by itself, before the time of the next probe.
PAUSES = {
    Cause.DOWN: "down, next probe {}",
    Cause.SETUP: "wrong configuration, next probe {}",
    Cause.BUSY: "rate limited until {}",
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


def state_of_integration(integration: Integration) -> SafeString:
    if not (integration.enabled or integration.draining):
        return pill("off", "disabled")
    if integration.paused_at:
        return pill("paused", pause_of(integration), integration.paused_reason)
    if integration.is_failing:
        return pill("bad", failure_of(integration), integration.failure_text)
    if integration.draining:
        return pill("paused", "draining", "New hits are not queued; queued hits are still sent.")
    return pill("good", "running")


def pause_of(integration: Integration) -> str:
    """Return who or what paused the integration, and the time of the next probe if there is one."""
    words = PAUSES.get(Cause(integration.paused_cause)) if integration.paused_cause else None
    if words is None or integration.probe_at is None:
        return f"paused by {integration.paused_by or 'an unknown user'}"
    return words.format(clock_time(integration.probe_at))


def failure_of(integration: Integration) -> str:
    """Return how many requests failed in a row, how the last one did, and since when."""
    since = f" since {clock_time(integration.failing_since)}" if integration.failing_since else ""
    many = f"{integration.consecutive_failures:,} in a row"
    return f"failing{since}: {many}, {integration.failure_cause}"


def clock_time(moment: datetime) -> str:
    """Return the time of day, in the time zone of the page; the date and the minute if the day is
    not today."""
    local = timezone.localtime(moment)
    return (
        f"{local:%H:%M:%S}" if local.date() == timezone.localdate() else f"{local:%Y-%m-%d %H:%M}"
    )


def state_of_channel(channel: AlertChannel) -> SafeString:
    if not channel.enabled:
        return pill("off", "disabled")
    if channel.error:
        return pill("bad", "fails", channel.error)
    return pill("good", "works") if channel.notified_at else pill("off", "not notified yet")


def state_of_operation(operation: Operation) -> SafeString:
    state = OperationState(operation.state)
    return pill(OPERATION_COLOURS[state], str(state.label), operation.message)
