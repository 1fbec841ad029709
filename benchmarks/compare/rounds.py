"""The sides take turns, A B, B A, A B, ..., until the interval of their ratios is narrow enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compare.interval import Bounds, Ending, Interval, interval
from benchmarks.compare.revisions import Revision
from benchmarks.compare.side import Side, prepared
from benchmarks.compare.workloads import WORKLOADS, Turn, Workload

Show = Callable[[str, int, "Round"], None]
NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True)
class Round:
    """A turn of each side."""

    new: Turn
    old: Turn

    @property
    def rate(self) -> float:
        """Hits a second, new ÷ old: more is better."""
        return self.new.rate / self.old.rate

    @property
    def cost(self) -> float:
        """CPU a hit, new ÷ old: less is better."""
        return self.new.cost / self.old.cost


@dataclass
class Outcome:
    """The rounds of a workload, and why there are no more."""

    workload: str
    rounds: list[Round] = field(default_factory=list)
    ending: Ending | None = None

    @property
    def rate(self) -> Interval:
        return interval([each.rate for each in self.rounds])

    @property
    def cost(self) -> Interval:
        return interval([each.cost for each in self.rounds])


def compete(
    name: str,
    revisions: tuple[Revision, Revision],
    folder: Path,
    *,
    seconds: int,
    bounds: Bounds,
    show: Show,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> Outcome:
    """Return the outcome of a workload between the new revision and the old, each with empty
    servers. The new one has these variables in its environment."""
    folder.mkdir(mode=0o755)
    outcome = Outcome(name)
    workload = WORKLOADS[name](folder, seconds)
    with ExitStack() as stack:
        new, old = sides = tuple(
            stack.enter_context(prepared(each, folder / each.name)) for each in revisions
        )
        new.environment.update(variables)
        stack.enter_context(workload.opened((new, old)))
        workload.prepare(0)
        workload.calibrate([workload.turn(side) for side in sides])
        for revision in revisions:
            revision.check_imports()
        began = time.monotonic()
        while outcome.ending is None:
            number = len(outcome.rounds) + 1
            outcome.rounds.append(take_turns(workload, new, old, number))
            show(name, number, outcome.rounds[-1])
            outcome.ending = bounds.ending(outcome.rate, time.monotonic() - began)
        for side in sides:
            workload.check(side)
    for revision in revisions:
        revision.check_imports()
    return outcome


def take_turns(workload: Workload, new: Side, old: Side, number: int) -> Round:
    """Return a round; who begins changes from round to round."""
    workload.prepare(number)
    if number % 2:
        first = workload.turn(new)
        return Round(new=first, old=workload.turn(old))
    first = workload.turn(old)
    return Round(new=workload.turn(new), old=first)
