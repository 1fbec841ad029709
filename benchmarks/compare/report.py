"""The outcome in words, and as JSON."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import Any

from benchmarks.compare.interval import Interval
from benchmarks.compare.revisions import Revision
from benchmarks.compare.rounds import Outcome, Round

INTERVAL = (
    "A ratio is the median of paired ratios new ÷ old, with its 95 % interval by order statistics."
)


def of_round(name: str, number: int, round_: Round) -> str:
    new, old = round_.new, round_.old
    return (
        f"{name}, round {number}: {new.rate:,.0f} ÷ {old.rate:,.0f} hits/s = {round_.rate:.3f}; "
        f"CPU {new.cost * 1e6:,.1f} ÷ {old.cost * 1e6:,.1f} µs/hit = {round_.cost:.3f}"
    )


def of_outcome(outcome: Outcome) -> str:
    """Return the ratio of rates, the ratio of CPU a hit, and how far they can be relied upon."""
    rates = (median(outcome, side, "rate") for side in ("new", "old"))
    costs = (median(outcome, side, "cost") * 1e6 for side in ("new", "old"))
    return (
        f"{outcome.workload}: {shown(outcome.rate)}, {verdict(outcome)}\n"
        "  hits/s:     new {:,.0f}, old {:,.0f}\n".format(*rates)
        + "  CPU µs/hit: new {:,.1f}, old {:,.1f}, ratio ".format(*costs)
        + shown(outcome.cost)
    )


def verdict(outcome: Outcome) -> str:
    found, ending = outcome.rate, outcome.ending
    count = f"{found.rounds} rounds" if found.rounds > 1 else "1 round"
    words = f"{ending.value if ending else 'interrupted'} after {count}"
    if not found.is_narrow:
        words += ": NOT within ± 3 %"
    return words + (": SLOWER than 0.97" if found.is_slower else "")


def shown(found: Interval) -> str:
    if math.isinf(found.high):
        return f"{found.median:.3f} (an interval needs 6 rounds)"
    return f"{found.median:.3f} [{found.low:.3f}, {found.high:.3f}]"


def median(outcome: Outcome, side: str, figure: str) -> float:
    """Return the median over the rounds of a side's rate (hits/s) or cost (CPU seconds a hit)."""
    turns = (getattr(each, side) for each in outcome.rounds)
    return float(statistics.median(getattr(turn, figure) for turn in turns))


def as_json(revisions: tuple[Revision, Revision], outcomes: list[Outcome]) -> dict[str, Any]:
    """Return everything measured; an interval of too few rounds is null."""
    return {
        "revisions": {each.name: each.title for each in revisions},
        "interval": "95 %, order statistics of the paired ratios new ÷ old",
        "workloads": {each.workload: outcome_as_json(each) for each in outcomes},
    }


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "rate_ratio": interval_as_json(outcome.rate),
        "cpu_ratio": interval_as_json(outcome.cost),
        "hits_per_second": {side: median(outcome, side, "rate") for side in ("new", "old")},
        "cpu_seconds_per_hit": {side: median(outcome, side, "cost") for side in ("new", "old")},
        "ending": outcome.ending.name.lower() if outcome.ending else None,
        "narrow": outcome.rate.is_narrow,
        "slower": outcome.rate.is_slower,
        "rounds": [asdict(each) for each in outcome.rounds],
    }


def interval_as_json(found: Interval) -> dict[str, Any]:
    exists = math.isfinite(found.high)
    ends = (found.low, found.high) if exists else (None, None)
    return {"median": found.median, "low": ends[0], "high": ends[1]}
