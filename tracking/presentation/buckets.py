"""Hours and days in the time zone of the page."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from tracking.uuid7 import QUARTER, quarter_hour_of


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the moment's hour, in UTC. An hour that occurs twice at the end of
    summer time is two hours, and one may be shorter where the clock changes within it."""
    start = quarter_hour_of(moment.astimezone(UTC))
    while _clock(start - QUARTER) == _clock(start):
        start -= QUARTER
    return start


def day_of(moment: datetime) -> datetime:
    """Return the beginning of the moment's day, in UTC."""
    local = timezone.localtime(moment)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def _clock(moment: datetime) -> str:
    """Return the day, the hour and the offset that a clock shows."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H %z}"
