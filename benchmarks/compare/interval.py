"""The median of paired ratios, its 95 % interval, and when the rounds are enough.

The interval is that of the order statistics: between the k-th smallest and the k-th largest ratio,
with the largest k whose tail of the binomial distribution (n, 1/2) is at most 2.5 %. It assumes
only that rounds are independent, needs no random numbers, and exists from six rounds on. Because
rounds are added until the interval is narrow, it covers the true median somewhat less often than
95 times of 100.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

#: How far, in parts of the median, either end of the interval may lie from it.
PRECISION = 0.03
#: A revision is slower if all of the interval lies below this ratio.
LEAST_RATIO = 0.97
TAIL = 0.025


@dataclass(frozen=True)
class Interval:
    """The median of so many ratios and its interval: 0 to infinity where they are too few."""

    median: float
    low: float
    high: float
    rounds: int

    @property
    def is_narrow(self) -> bool:
        """Return whether both ends lie within PRECISION of the median."""
        allowed = PRECISION * self.median
        return self.high - self.median <= allowed and self.median - self.low <= allowed

    @property
    def is_slower(self) -> bool:
        return self.high < LEAST_RATIO


def rank(rounds: int) -> int:
    """Return k: the interval begins at the k-th smallest ratio. 0 if there is no interval."""
    found, tail = 0, 0.5**rounds
    while tail <= TAIL:
        found += 1
        tail += math.comb(rounds, found) * 0.5**rounds
    return found


def interval(ratios: Sequence[float]) -> Interval:
    """Return the median of at least one ratio with its interval."""
    ordered = sorted(ratios)
    found = rank(len(ordered))
    return Interval(
        median=statistics.median(ordered),
        low=ordered[found - 1] if found else 0.0,
        high=ordered[-found] if found else math.inf,
        rounds=len(ordered),
    )


class Ending(Enum):
    """Why no round is added."""

    NARROW = "within ± 3 %"
    ROUNDS = "the bound of rounds is reached"
    TIME = "the bound of time is reached"


@dataclass(frozen=True)
class Bounds:
    """Up to so many rounds and so many seconds a workload."""

    rounds: int
    seconds: float

    def ending(self, found: Interval, spent: float) -> Ending | None:
        """Return why no further round is to begin after so many seconds, or None if one is."""
        if found.is_narrow:
            return Ending.NARROW
        if found.rounds >= self.rounds:
            return Ending.ROUNDS
        return Ending.TIME if spent >= self.seconds else None
