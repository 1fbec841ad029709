"""The last 24 hours, 7 days and 30 days of the event explorer, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from tracking.console.period import ONE_DAY, Period, moments
from tracking.models.analytics.event_names import Windows


def windows() -> Windows:
    now = datetime.now(UTC)
    month = Period.last_days(30, now)
    return Windows(
        day=Period.last_hours(24, now).since,
        week=Period.last_days(7, now).since,
        month=month.since,
        until=month.until,
    )


def days_of(times: Windows) -> list[datetime]:
    """Return the last 30 days."""
    return list(moments(times.month, times.until, ONE_DAY))
