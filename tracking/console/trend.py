"""How deliveries ended over a time range, beside the time before it: the success rate, its change,
and a small chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from tracking.console.time_range import TimeRange
from tracking.models.ledger.delivery_stats import result_series

#: Bars of the chart; its height, the width of a bar and the way to the next one, in pixels.
PARTS = 24
HEIGHT, BAR, STEP = 24, 3, 4
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TrendBar:
    """A bar of the chart: the delivered stand on the dead."""

    x: int
    delivered: float
    dead: float

    @property
    def top(self) -> float:
        return HEIGHT - self.delivered - self.dead

    @property
    def dead_top(self) -> float:
        return HEIGHT - self.dead


@dataclass(frozen=True, slots=True)
class Trend:
    """The delivered and the dead of each part of the range, and of the range before it."""

    now: Sequence[tuple[int, int]]
    before: Sequence[tuple[int, int]]

    @property
    def success(self) -> float | None:
        """The share of the ended deliveries that were delivered; None if none has ended."""
        return share(self.now)

    @property
    def change(self) -> float | None:
        """The change of the success rate, in percentage points; None without a rate before."""
        now, before = share(self.now), share(self.before)
        return None if now is None or before is None else (now - before) * 100

    def is_rejected(self, span: timedelta) -> bool:
        """Return whether nothing of the last hour was delivered, and either some of it died, or
        some of the whole range of that `span`, of which nothing was delivered either."""
        parts = ceil(HOUR * PARTS / span)
        delivered, dead = total(self.now[-parts:])
        return not delivered and (dead > 0 or self.success == 0)

    @property
    def bars(self) -> list[TrendBar]:
        most = max(map(sum, self.now), default=0) or 1
        return [
            TrendBar(at * STEP, HEIGHT * delivered / most, HEIGHT * dead / most)
            for at, (delivered, dead) in enumerate(self.now)
        ]

    @property
    def width(self) -> int:
        return PARTS * STEP - (STEP - BAR)

    @property
    def height(self) -> int:
        return HEIGHT


def share(parts: Iterable[tuple[int, int]]) -> float | None:
    delivered, dead = total(parts)
    return delivered / (delivered + dead) if delivered + dead else None


def total(parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    delivered = dead = 0
    for part in parts:
        delivered, dead = delivered + part[0], dead + part[1]
    return delivered, dead


def trends(ids: Sequence[int], time_range: TimeRange) -> Mapping[int, Trend]:
    """Return the trend of each integration."""
    span = time_range.now - time_range.since
    series = result_series(ids, time_range.since - span, span / PARTS, 2 * PARTS)
    return {pk: Trend(parts[PARTS:], parts[:PARTS]) for pk, parts in series.items()}


def trend_of_all(all_trends: Iterable[Trend]) -> Trend:
    """Return the trend of all integrations together."""
    known = list(all_trends)

    def add(parts: Iterable[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
        return list(map(total, zip(*parts, strict=True)))

    return Trend(add(each.now for each in known), add(each.before for each in known))
