"""The interval of paired ratios, and when a comparison ends."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from benchmarks.compare.interval import Bounds, Ending, Interval, interval, rank


def coverage(rounds: int, at: int) -> float:
    """Return how often the median lies between the order statistics at and rounds + 1 - at."""
    return sum(math.comb(rounds, k) for k in range(at, rounds - at + 1)) * 0.5**rounds


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [(1, 0), (5, 0), (6, 1), (8, 1), (9, 2), (12, 3), (20, 6), (25, 8), (30, 10), (50, 18)],
)
def test_the_ranks_are_those_of_the_published_tables(rounds: int, expected: int) -> None:
    assert rank(rounds) == expected


@pytest.mark.parametrize("rounds", range(6, 101))
def test_the_interval_covers_the_median_95_times_of_100_and_is_as_narrow_as_it_can_be(
    rounds: int,
) -> None:
    assert coverage(rounds, rank(rounds)) >= 0.95 > coverage(rounds, rank(rounds) + 1)


def test_the_interval_is_made_of_ratios_that_were_measured() -> None:
    ratios = [1.05, 0.90, 1.00, 1.02, 0.98, 1.01, 1.10, 0.99, 1.03]
    assert interval(ratios) == Interval(median=1.01, low=0.98, high=1.05, rounds=9)


def test_the_interval_covers_the_true_median_of_skewed_ratios() -> None:
    chance = random.Random(7)
    samples = [[chance.lognormvariate(0, 0.05) for _ in range(11)] for _ in range(2000)]
    found = [interval(sample) for sample in samples]
    assert statistics.mean(each.low <= 1.0 <= each.high for each in found) >= 0.95


def test_fewer_than_six_rounds_have_no_interval_and_prove_nothing() -> None:
    found = interval([0.5] * 5)
    assert (found.median, found.low, found.high) == (0.5, 0.0, math.inf)
    assert not found.is_narrow
    assert not found.is_slower


@pytest.mark.parametrize(
    ("low", "high", "narrow"),
    [(0.98, 1.02, True), (0.96, 1.02, False), (0.98, 1.04, False), (1.0, 1.0, True)],
)
def test_an_interval_is_narrow_if_both_ends_are_within_3_percent(
    low: float, high: float, narrow: bool
) -> None:
    assert Interval(1.0, low, high, 9).is_narrow is narrow


def test_the_3_percent_are_of_the_median_itself() -> None:
    assert Interval(2.0, 1.95, 2.05, 9).is_narrow
    assert not Interval(0.5, 0.48, 0.52, 9).is_narrow


@pytest.mark.parametrize(("high", "slower"), [(0.969, True), (0.97, False), (1.2, False)])
def test_a_revision_is_slower_only_if_the_whole_interval_is(high: float, slower: bool) -> None:
    assert Interval(0.9, 0.8, high, 9).is_slower is slower


NARROW, WIDE = Interval(1.0, 0.99, 1.01, 8), Interval(1.0, 0.9, 1.1, 8)


@pytest.mark.parametrize(
    ("found", "rounds", "spent", "ending"),
    [
        (WIDE, 9, 59.0, None),
        (WIDE, 8, 59.0, Ending.ROUNDS),
        (WIDE, 9, 60.0, Ending.TIME),
        (NARROW, 9, 0.0, Ending.NARROW),
        (NARROW, 8, 60.0, Ending.NARROW),
        (interval([1.0] * 5), 9, 0.0, None),
        (interval([1.0] * 6), 9, 0.0, Ending.NARROW),
    ],
)
def test_rounds_are_added_until_the_interval_is_narrow_or_a_bound_is_reached(
    found: Interval, rounds: int, spent: float, ending: Ending | None
) -> None:
    assert Bounds(rounds, seconds=60.0).ending(found, spent) is ending
