"""`python -m benchmarks.delivery [--seconds 60]`: hits a second from POST to received.

A closed loop (benchmarks/closed.py) on the same cores as everything else: received/s at a local
sink, sustained, with (a) benchmarks/naive, (b) Hitstream with a webhook of a hit a request, (c) the
same with a hundred. Each has the window that suits it best of those tried just before. Then the
wake-up: how long single hits take when nothing else is going on.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from dataclasses import dataclass

import uvloop

from benchmarks.closed import Load
from benchmarks.contenders import forward, hitstream, naive
from benchmarks.sink import sink
from benchmarks.stack import Bench, bench

SINK = 21090
HOOK = f"http://127.0.0.1:{SINK}/hook"
WINDOWS = (32, 100, 500, 2000)
TRIAL_SECONDS, WARM_UP, DRAIN = 4.0, 2.0, 60.0
LEAST_SINGLE, LEAST_BATCHED, LONGEST_WAKE_UP = 10.0, 15.0, 0.250
#: Hits a second, 500 a request.
LEAST_LARGE = 2_000
WAKE_UPS, GAPS = 60, (0.3, 2.5)


@dataclass(frozen=True)
class Sustained:
    """What came of a load: received/s, the window, this process' CPU seconds a hit, and whether all
    that was posted came."""

    rate: float
    window: int
    cpu: float
    p50: float
    complete: bool
    told: str


async def sustain(port: int, authorization: str, window: int, seconds: float) -> Sustained:
    load = Load(port, authorization, window=window)
    async with sink(SINK, load.take), load.connected():
        await first(load)
        await asyncio.sleep(WARM_UP)
        before, began, spent = load.received, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        received, took = load.received - before, time.perf_counter() - began
        spent = time.process_time() - spent
        await load.drain(DRAIN)
    latencies = sorted(load.latencies)
    told = f"{load.posted:,} posted, {load.received:,} received, {load.repeated} of them again"
    if load.refused:
        told += f", refused {dict(load.refused)}"
    return Sustained(
        rate=received / took,
        window=window,
        cpu=spent / max(received, 1),
        p50=latencies[len(latencies) // 2],
        complete=load.received == load.posted,
        told=told,
    )


async def first(load: Load) -> None:
    """The first hit is received: everybody is up."""
    ends = time.perf_counter() + 30
    while not load.received:
        assert time.perf_counter() < ends, "nothing was received within 30 s"
        await asyncio.sleep(0.05)


def best(servers: Bench, name: str, port: int, authorization: str, seconds: float) -> Sustained:
    """The whole run with the window that was best in short ones, as printed."""

    def run(window: int, seconds: float) -> Sustained:
        servers.settle()
        return uvloop.run(sustain(port, authorization, window, seconds))

    trials = [run(window, TRIAL_SECONDS) for window in WINDOWS]
    window = max(trials, key=lambda trial: trial.rate).window
    found = run(window, seconds)
    tried = ", ".join(f"{trial.window}: {trial.rate:,.0f}" for trial in trials)
    print(
        f"{name}: {found.rate:,.0f} hits/s over {seconds:g} s; {found.told}; "
        f"p50 {found.p50 * 1e3:,.0f} ms with a window of {found.window} (tried {tried}); "
        f"load and sink take {found.cpu * 1e6:.0f} µs of CPU a hit",
        flush=True,
    )
    return found


async def wake(port: int, authorization: str) -> list[float]:
    """Seconds from POST to received of single hits at random times, in order. One connection, so
    that none is idle for so long that the server closes it."""
    load = Load(port, authorization)
    async with sink(SINK, load.take), load.connected(1):
        await load.post_at(time.perf_counter())
        await first(load)
        for _ in range(WAKE_UPS):
            await load.post_at(time.perf_counter() + random.uniform(*GAPS))
        await load.drain(DRAIN)
    assert len(load.latencies) == 1 + WAKE_UPS, load.refused
    return sorted(load.latencies[1:])


def race(servers: Bench, seconds: float) -> bool:
    """All contenders, as printed; whether the ratios are what they should be."""
    with naive(servers, HOOK) as (port, authorization):
        a = best(servers, "(a) benchmarks/naive", port, authorization, seconds)
    single = forward(servers, "single", HOOK)
    batched = forward(servers, "batched", HOOK, batch_size=100)
    large = forward(servers, "large", HOOK, batch_size=500)
    with hitstream(servers) as port:
        b = best(servers, "(b) a hit a request", port, single, seconds)
        c = best(servers, "(c) 100 hits a request", port, batched, seconds)
        d = best(servers, "(d) 500 hits a request", port, large, seconds)
    print(
        f"(b) ÷ (a) = {b.rate / a.rate:.1f} (at least {LEAST_SINGLE:g}), "
        f"(c) ÷ (a) = {c.rate / a.rate:.1f} (at least {LEAST_BATCHED:g}), "
        f"(d) = {d.rate:,.0f} hits/s (at least {LEAST_LARGE:,})",
        flush=True,
    )
    enough = b.rate >= LEAST_SINGLE * a.rate and c.rate >= LEAST_BATCHED * a.rate
    enough &= d.rate >= LEAST_LARGE
    return enough and all(each.complete for each in (a, b, c, d))


def idle(servers: Bench) -> bool:
    """The wake-up, as printed; whether it is short enough."""
    authorization = forward(servers, "idle", HOOK)
    with hitstream(servers) as port:
        waits = uvloop.run(wake(port, authorization))
    p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    print(
        f"idle, {len(waits)} single hits from POST to received: p50 {p50 * 1e3:.0f}, "
        f"p95 {p95 * 1e3:.0f} (below {LONGEST_WAKE_UP * 1e3:.0f}), longest {waits[-1] * 1e3:.0f} ms"
    )
    return p95 < LONGEST_WAKE_UP


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=("race", "idle"))
    options = parser.parse_args()
    with bench() as servers:
        good = options.only == "idle" or race(servers, options.seconds)
        good &= options.only == "race" or idle(servers)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
