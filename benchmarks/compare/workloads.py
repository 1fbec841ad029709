"""What a side does in a turn: ingest, batch, import and delivery.

A turn gives the side the machine for itself, warms up what it started, and measures one load.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.compare.arrivals import Arrivals, listening
from benchmarks.compare.revisions import CompareError
from benchmarks.compare.side import Side
from benchmarks.copying import HIT
from benchmarks.load import Run, load

WARM_UP = 2
#: Hits in the file of the first turn, which is not counted; the next files fill the time.
FIRST_HITS = 20_000
FIRST_ARRIVAL, DRAIN = 30.0, 120.0
#: Where nobody listens: while no worker runs, nothing is sent.
NOWHERE = "http://127.0.0.1:9/hook"


@dataclass(frozen=True)
class Turn:
    """Hits of a load, the seconds it took, and the CPU seconds of the side's processes."""

    hits: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Hits a second."""
        return self.hits / self.seconds

    @property
    def cost(self) -> float:
        """CPU seconds a hit."""
        return self.cpu / self.hits


class Workload:
    name: ClassVar[str]
    what: ClassVar[str]

    def __init__(self, folder: Path, seconds: int) -> None:
        self.folder, self.seconds = folder, seconds
        #: How many hits each side took, and how many more it may have.
        self.taken: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()

    @contextmanager
    def opened(self, sides: tuple[Side, Side]) -> Iterator[None]:
        """What lasts as long as the workload; each hit becomes a delivery to a webhook."""
        for side in sides:
            side.forward(NOWHERE)
        yield

    def prepare(self, number: int) -> None:
        """Make what both sides get in this round."""

    def turn(self, side: Side) -> Turn:
        """Return what one load came to. Raises CompareError if a hit is refused or lost."""
        raise NotImplementedError

    def calibrate(self, turns: list[Turn]) -> None:
        """Learn from the turns that are not counted how much fills the time."""

    def check(self, side: Side) -> None:
        """Raise CompareError unless the side stored what it took."""
        stored, taken = side.stored(), self.taken[side.name]
        if not taken <= stored <= taken + self.doubtful[side.name]:
            raise CompareError(f"{side.name}: took {taken:,} hits and stored {stored:,}")


class Ingest(Workload):
    """One hit a request."""

    name, what = "ingest", "POST /track, a hit a request, 32 connections"
    path, status = "/track", "204"
    connections, hits = 32, 1

    def turn(self, side: Side) -> Turn:
        side.settle()
        with side.started("web"):
            self._load(side, WARM_UP)
            before = side.cpu()
            run = self._load(side, self.seconds)
            cpu = side.cpu() - before
        hits = run.statuses[self.status] * self.hits
        return Turn(hits, hits / (run.rate * self.hits), cpu)

    def _load(self, side: Side, seconds: int) -> Run:
        run = load(
            side.port,
            side.authorization,
            path=self.path,
            connections=self.connections,
            seconds=seconds,
            hits=self.hits,
        )
        if set(run.statuses) != {self.status} or run.unanswered:
            raise CompareError(f"{side.name}: {self.path}: {run}")
        self.taken[side.name] += run.statuses[self.status] * self.hits
        # wrk stops in the middle of its last requests: they may be stored and not counted.
        self.doubtful[side.name] += 2 * self.connections * self.hits
        return run


class Batch(Ingest):
    name, what = "batch", "POST /track/batch, 100 hits a request, 8 connections"
    path, status = "/track/batch", "200"
    connections, hits = 8, 100


class Files(Workload):
    """What both sides get in a round is one file of hits, new in each round."""

    def __init__(self, folder: Path, seconds: int) -> None:
        super().__init__(folder, seconds)
        self.count = FIRST_HITS
        self.mark = b""

    def prepare(self, number: int) -> None:
        self.path.unlink(missing_ok=True)
        self.mark = b"compare-%04d-" % number
        with self.path.open("wb") as file:
            file.writelines(HIT % (b"%s%08d" % (self.mark, at)) + b"\n" for at in range(self.count))

    def calibrate(self, turns: list[Turn]) -> None:
        self.count = max(5_000, int(min(turn.rate for turn in turns) * self.seconds))

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}-{self.mark.decode() or 'none'}.ndjson"

    def store(self, side: Side) -> tuple[float, float]:
        """Import the file; return the command's seconds and CPU seconds."""
        took, cpu = side.import_file(self.path)
        self.taken[side.name] += self.count
        return took, cpu


class Import(Files):
    name, what = "import", "manage.py import_hits of a file, the command's start included"

    @contextmanager
    def opened(self, sides: tuple[Side, Side]) -> Iterator[None]:
        began = time.perf_counter()
        sides[0].manage("import_hits", "--help")
        self.start = time.perf_counter() - began
        with super().opened(sides):
            yield

    def calibrate(self, turns: list[Turn]) -> None:
        """Choose the hits that fill the time beside the command's start."""
        fastest = min(turn.seconds for turn in turns)
        self.count = int(FIRST_HITS * self.seconds / max(fastest - self.start, 0.5))

    def turn(self, side: Side) -> Turn:
        side.settle()
        before = side.cpu()
        took, cpu = self.store(side)
        return Turn(self.count, took, cpu + side.cpu() - before)


class Delivery(Files):
    """A backlog of stored hits, which a worker that was just started sends to a sink."""

    name, what = "delivery", "the worker sends stored hits to a local sink, a hit a request"

    @contextmanager
    def opened(self, sides: tuple[Side, Side]) -> Iterator[None]:
        self.arrivals = Arrivals()
        with listening(self.arrivals.take) as url:
            for side in sides:
                side.forward(url)
            yield

    def turn(self, side: Side) -> Turn:
        arrivals = self.arrivals
        arrivals.expect(self.mark, self.count)
        self.store(side)
        side.settle()
        with side.started("beat", "worker"):
            self._wait(side, 1, FIRST_ARRIVAL)
            before, already, began = side.cpu(), arrivals.received, time.perf_counter()
            self._wait(side, self.count, DRAIN + 10 * self.seconds)
            cpu = side.cpu() - before
        return Turn(self.count - already, arrivals.last_at - began, cpu)

    def _wait(self, side: Side, hits: int, seconds: float) -> None:
        ends = time.perf_counter() + seconds
        while self.arrivals.received < hits:
            if time.perf_counter() > ends:
                received = f"{self.arrivals.received:,} of {self.count:,} hits"
                raise CompareError(f"{side.name}: delivered {received}\n{side.tail('worker')}")
            time.sleep(0.005)


WORKLOADS: dict[str, type[Workload]] = {
    each.name: each for each in (Ingest, Batch, Import, Delivery)
}
