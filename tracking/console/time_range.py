"""The time range of a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from tracking.durations import in_unit
from tracking.presentation.buckets import day_of, hour_of

SPANS = {"24h": 1, "7d": 7, "30d": 30}
#: The most days that are shown hour by hour.
HOURLY_DAYS = 7


def span_label(name: str) -> str:
    """Return a span such as `24h` or `7d` in the language of the page."""
    number, unit = int(name[:-1]), name[-1]
    return in_unit(number, {"h": 3_600, "d": 86_400}[unit])


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The last days up to now, in the viewer's time zone."""

    name: str
    now: datetime

    @classmethod
    def of(cls, request: HttpRequest) -> TimeRange:
        """Return the range that the address names, else a day."""
        name = request.GET.get("span", "")
        return cls(name if name in SPANS else "24h", timezone.localtime())

    @property
    def choices(self) -> SafeString:
        """Links to the ranges; this one is the present one."""
        return mark_safe("\n".join(map(self._choice, SPANS)))  # noqa: S308 (constants)

    def _choice(self, name: str) -> str:
        present = ' aria-current="true"' if name == self.name else ""
        return f'<a href="?span={name}"{present}>{span_label(name)}</a>'

    @property
    def label(self) -> str:
        return span_label(self.name)

    @property
    def days(self) -> int:
        return SPANS[self.name]

    @property
    def is_hourly(self) -> bool:
        return self.days <= HOURLY_DAYS

    @property
    def since(self) -> datetime:
        """The beginning of the first bucket."""
        return self.bucket_of(self.now - timedelta(days=self.days))

    def bucket_of(self, moment: datetime) -> datetime:
        """Return the beginning of the moment's hour or day, in UTC."""
        return hour_of(moment) if self.is_hourly else day_of(moment)

    def buckets(self) -> Iterator[datetime]:
        """Yield the beginning of each bucket, the present one included."""
        moment, seen = self.since, None
        while moment <= self.now:
            bucket = self.bucket_of(moment)
            if bucket != seen:
                yield bucket
            seen = bucket
            # Short steps, also for days: some are 23 or 25 hours long, and Lord Howe Island's
            # summer time is half an hour.
            moment += timedelta(minutes=15)
