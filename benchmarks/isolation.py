"""`python -m benchmarks.isolation`: what a healthy destination notices of two broken ones.

p95 from POST to received, at 50 hits a second, alone; then again while as many hits go to an
integration whose destination swallows connections, and to one whose destination answers 500 at
once. Each has a token of its own. The servers are fresh in each round: a backlog is a neighbour.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack

import uvloop

from benchmarks.closed import Load
from benchmarks.contenders import forward, hitstream
from benchmarks.sink import fail, sink, swallow
from benchmarks.stack import bench

HEALTHY, SWALLOWING, FAILING = 21091, 21092, 21093
RATE, WARM_UP, DRAIN = 50, 3.0, 20.0
LONGEST_RATIO = 1.5


async def pace(load: Load, seconds: float) -> None:
    """So many hits a second, whatever becomes of them."""
    began = time.perf_counter()
    for number in range(int(seconds * RATE)):
        await load.post_at(began + number / RATE)


async def watch(port: int, authorization: str, broken: list[str], seconds: float) -> float:
    """The healthy destination's p95 in milliseconds, beside loads for the broken ones."""
    healthy = Load(port, authorization)
    others = [Load(port, each) for each in broken]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sink(HEALTHY, healthy.take))
        await stack.enter_async_context(sink(SWALLOWING, swallow))
        await stack.enter_async_context(sink(FAILING, fail))
        for load in (healthy, *others):
            await stack.enter_async_context(load.connected())
        await asyncio.gather(*(pace(load, WARM_UP + seconds) for load in (healthy, *others)))
        await healthy.drain(DRAIN)
    for load in (healthy, *others):
        assert not load.refused, load.refused
    assert healthy.received == healthy.posted, (healthy.received, healthy.posted)
    measured = sorted(healthy.latencies[int(WARM_UP * RATE) :])
    return measured[int(len(measured) * 0.95)] * 1e3


def once(seconds: float) -> tuple[float, float]:
    """p95 alone and beside the broken ones."""
    with bench() as servers:
        healthy = forward(servers, "healthy", f"http://127.0.0.1:{HEALTHY}/hook")
        with hitstream(servers) as port:
            alone = uvloop.run(watch(port, healthy, [], seconds))
            broken = [
                forward(servers, "swallowing", f"http://127.0.0.1:{SWALLOWING}/hook"),
                forward(servers, "failing", f"http://127.0.0.1:{FAILING}/hook"),
            ]
            return alone, uvloop.run(watch(port, healthy, broken, seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolation")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = []
    for number in range(1, options.rounds + 1):
        rounds.append(once(options.seconds))
        print(f"round {number}: p95 alone {rounds[-1][0]:.0f}, beside {rounds[-1][1]:.0f} ms")
        sys.stdout.flush()
    alone, beside = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    ratio = statistics.median(beside / alone for alone, beside in rounds)
    print(
        f"medians: p95 alone {alone:.0f} ms, beside a destination that swallows and one that "
        f"fails {beside:.0f} ms, ratio {ratio:.2f} (at most {LONGEST_RATIO:g})"
    )
    return 0 if ratio <= LONGEST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
