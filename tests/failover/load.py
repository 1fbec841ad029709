"""Hits while Postgres fails over: what is answered, delivered, and the time without a 204."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.client import Client
from benchmarks.chaos.vendor import Vendor
from benchmarks.sink import sink
from tests.support.ports import free_port
from tests.support.stack import Stack

NAME = "failover"
#: Seconds after the last hit until everything is delivered, leases included.
PATIENCE = 150.0
SEED = 7
#: Seconds without a 204 from which a pause is printed.
SHOWN = 1.0


@dataclass
class Outcome:
    """`gap` is the longest time without a 204, `lost` the hits answered 204 and not received. The
    integration `is_blamed` where it was paused for what Postgres said."""

    gap: float
    answers: dict[str, int]
    lost: set[int]
    reconciled: str
    is_blamed: bool


def under_load(stack: Stack, faults: Callable[[], None], *, hits: int, rate: float) -> Outcome:
    """Post hits, each until it is answered 204, while the faults happen."""
    return asyncio.run(_run(stack, faults, hits, rate))


async def _run(stack: Stack, faults: Callable[[], None], hits: int, rate: float) -> Outcome:
    vendor, port = Vendor(SEED), free_port()
    async with sink(port, vendor.take) as url:
        token = await asyncio.to_thread(stack.issue, NAME)
        await asyncio.to_thread(stack.forward, NAME, url, timeout=2)
        authorization = stack.sender(token).headers["Authorization"]
        client = Client(stack.port, authorization, hits=hits, rate=rate)
        posting = asyncio.create_task(client.post_all())
        failing = asyncio.create_task(asyncio.to_thread(faults))
        gap = await _longest_gap(client, posting)
        await failing
        ends = time.monotonic() + PATIENCE
        while client.accepted - vendor.received.keys() and time.monotonic() < ends:
            await asyncio.sleep(0.2)
        lost = client.accepted - vendor.received.keys()
        reconciled = await asyncio.to_thread(stack.manage, "reconcile")
        is_blamed = "Its own code failed" in stack.log.read_text()
        return Outcome(gap, dict(client.answers), lost, reconciled, is_blamed)


async def _longest_gap(client: Client, posting: asyncio.Task[None]) -> float:
    longest, known, since = 0.0, 0, time.monotonic()
    while not posting.done():
        await asyncio.sleep(0.02)
        if len(client.accepted) > known:
            if (silent := time.monotonic() - since) > SHOWN:
                print(f"204 again after {silent:.1f} s at {time.strftime('%X')}", flush=True)  # noqa: T201
            known, since = len(client.accepted), time.monotonic()
        longest = max(longest, time.monotonic() - since)
    await posting
    return longest
