"""`python -m benchmarks.soak`: the memory of a web process over a million hits."""

from __future__ import annotations

import os
import sys

import psutil

from benchmarks.hotpath import OURS
from benchmarks.load import load
from benchmarks.stack import Bench, bench

HITS = int(os.environ.get("BENCH_HITS", "1000000"))
FIRST = HITS // 10


def memory(master: int) -> list[int]:
    """What each web process holds for itself alone, in bytes."""
    children = psutil.Process(master).children(recursive=True)
    return [child.memory_full_info().uss for child in children]


def post(servers: Bench, authorization: str, hits: int) -> int:
    """At least so many hits, all of them accepted; how many."""
    accepted = 0
    while accepted < hits:
        run = load(OURS, authorization, seconds=10)
        assert set(run.statuses) == {"204"}, run
        accepted += run.accepted
    return accepted


def main() -> int:
    with bench() as servers:
        authorization = servers.issue("soak")
        web = servers.serve(OURS)
        first = post(servers, authorization, FIRST)
        before = memory(web.pid)
        rest = post(servers, authorization, HITS - first)
        after = memory(web.pid)
    growth = max(late / early for early, late in zip(before, after, strict=True))
    sys.stdout.write(
        f"after {first:,} hits {[size >> 20 for size in before]} MiB, after {first + rest:,} "
        f"{[size >> 20 for size in after]} MiB: {growth:.3f} times as much\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
