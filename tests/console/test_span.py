"""The hours and days that a page looks back over."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tracking.console.time_range import TimeRange


def buckets(name: str, now: datetime) -> list[datetime]:
    with timezone.override(now.tzinfo):
        return list(TimeRange(name, now).buckets())


BERLIN = ZoneInfo("Europe/Berlin")


def test_an_hour_that_comes_twice_is_two_of_them() -> None:
    """At 03:00 of that day it is 02:00 once more."""
    found = buckets("24h", datetime(2026, 10, 25, 12, 30, tzinfo=BERLIN))
    assert len(set(found)) == len(found) == 26
    with timezone.override(BERLIN):
        span = TimeRange("24h", datetime(2026, 10, 25, 12, 30, tzinfo=BERLIN))
        first, second = (datetime(2026, 10, 25, hour, 15, tzinfo=UTC) for hour in (0, 1))
        assert span.bucket_of(first) != span.bucket_of(second)


@pytest.mark.parametrize(
    ("today", "hour"),
    [
        (datetime(2026, 10, 28, tzinfo=BERLIN), 10),
        (datetime(2026, 10, 28, tzinfo=BERLIN), 0),
        (datetime(2026, 3, 30, tzinfo=BERLIN), 10),
        (datetime(2026, 11, 3, tzinfo=ZoneInfo("Asia/Kolkata")), 23),
    ],
)
def test_every_day_is_there_however_long_the_days_are(today: datetime, hour: int) -> None:
    found = buckets("30d", today.replace(hour=hour))
    days = [bucket.astimezone(today.tzinfo).date() for bucket in found]
    assert len(days) == len(set(days)) == 31
    assert days[-1] == today.date()
