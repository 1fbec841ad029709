"""The period that analytics looks at, in steps of hours or days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tracking.models.analytics.dimensions import DAY, HOUR

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)
#: The most days that are shown by hours.
HOURLY_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` to before `until`, in UTC, in steps of `unit`; and the whole days `first` to
    `last`, for numbers that are counted by days only."""

    since: datetime
    until: datetime
    unit: str
    first: date
    last: date

    @classmethod
    def of_days(cls, first: date, last: date) -> Period:
        """Return the period of these days, a few of them by hours."""
        since, until = (datetime.combine(day, time(), UTC) for day in (first, last + ONE_DAY))
        unit = HOUR if (last - first).days < HOURLY_DAYS else DAY
        return cls(since=since, until=until, unit=unit, first=first, last=last)

    @classmethod
    def last_hours(cls, hours: int, now: datetime) -> Period:
        """Return the last hours; the current hour is the last of them."""
        until = now.replace(minute=0, second=0, microsecond=0) + ONE_HOUR
        since = until - hours * ONE_HOUR
        return cls(since=since, until=until, unit=HOUR, first=since.date(), last=now.date())

    @classmethod
    def last_days(cls, days: int, now: datetime) -> Period:
        return cls.of_days(now.date() - (days - 1) * ONE_DAY, now.date())

    @property
    def is_hourly(self) -> bool:
        return self.unit == HOUR

    @property
    def day_bounds(self) -> tuple[datetime, datetime]:
        """The days as moments: the beginning of the first and the end of the last."""
        first, last = (datetime.combine(day, time(), UTC) for day in (self.first, self.last))
        return first, last + ONE_DAY

    def steps(self) -> Iterator[datetime]:
        yield from moments(self.since, self.until, ONE_HOUR if self.is_hourly else ONE_DAY)

    def days(self) -> Iterator[datetime]:
        yield from moments(*self.day_bounds, ONE_DAY)


def moments(since: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    while since < until:
        yield since
        since += step
