"""`python -m benchmarks.chaos [--seed N] [--pooled]`: does anything that was answered 204 get lost?

All of Hitstream as `make run` starts it, with its embedded servers. While hits are posted, workers,
the web server, the broker and Postgres are killed with SIGKILL, each several times, and the vendor
fails now and then. Pooled, all reach Postgres through PgBouncer, which is killed, too. In the end
every hit answered 204 must have been received, always under the same idempotency id; nothing may be
queued or dead, and `manage.py reconcile` must find that it adds up.
Without a seed two random ones are run. The code is 1 after any violation.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.chaos.client import Client
from benchmarks.chaos.killer import kill_all
from benchmarks.chaos.stack import running
from benchmarks.chaos.vendor import Vendor
from benchmarks.chaos.verdict import Verdict, judge, settled
from benchmarks.sink import sink
from tests.support.ports import free_port
from tests.support.stack import Stack

NAME = "chaos"
#: Of posting, beyond the time that the rate takes.
EXTRA_SECONDS = 180.0


async def attack(stack: Stack, seed: int, *, hits: int, rate: float, pooled: bool) -> Verdict:
    vendor, port = Vendor(seed), free_port()
    async with sink(port, vendor.take) as url:
        authorization = await asyncio.to_thread(prepare, stack, url)
        client = Client(stack.port, authorization, hits=hits, rate=rate)
        killing = asyncio.create_task(kill_all(stack, seed, hits / rate, pooled=pooled))
        try:
            async with asyncio.timeout(hits / rate + EXTRA_SECONDS):
                await client.post_all()
                kills = await killing
        finally:
            killing.cancel()
        print("killed: " + "; ".join(map(str, kills)), flush=True)
        waited = await settled(stack)
        return await asyncio.to_thread(judge, stack, client, vendor, waited)


def prepare(stack: Stack, url: str) -> str:
    """The Authorization header of a token whose hits go to the vendor, one a request."""
    token = stack.issue(NAME)
    stack.forward(NAME, url, timeout=2)
    return stack.sender(token).headers["Authorization"]


def run(seed: int, *, hits: int, rate: float, log: Path, pooled: bool) -> bool:
    """One seed, as printed; whether everything held."""
    print(f"seed {seed}: {hits:,} hits at {rate:g}/s", flush=True)
    problems: list[str]
    try:
        with running(log, pooled=pooled) as stack:
            verdict = asyncio.run(attack(stack, seed, hits=hits, rate=rate, pooled=pooled))
        print("\n".join(verdict.lines), flush=True)
        problems = verdict.problems
    except (AssertionError, TimeoutError) as error:
        problems = [f"{type(error).__name__}: {error}"]
    for problem in problems:
        print(f"VIOLATION (seed {seed}): {problem}", flush=True)
    if problems:
        print("".join(log.read_text().splitlines(keepends=True)[-60:]), flush=True)
    return not problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--seed", type=int, action="append", help="repeat for several in a row")
    parser.add_argument("--hits", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=250.0, help="hits a second")
    parser.add_argument("--log", type=Path, help="keep what the processes say in this file")
    parser.add_argument("--pooled", action="store_true", help="through PgBouncer, transaction mode")
    options = parser.parse_args()
    seeds = options.seed or random.sample(range(1_000_000), 2)
    with tempfile.TemporaryDirectory() as directory:
        log = options.log or Path(directory) / "log"
        how = {"hits": options.hits, "rate": options.rate, "log": log, "pooled": options.pooled}
        held = [run(seed, **how) for seed in seeds]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
