"""Kills with SIGKILL at random moments, and only what the supervisor has started."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from benchmarks.chaos.stack import postgres_of
from tests.support.stack import Stack

#: How often each kind is killed, and how long one that is down is waited for.
TIMES, PATIENCE = 3, 45.0


def name_of(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def named(parent: psutil.Process, name: str) -> list[psutil.Process]:
    return [each for each in parent.children() if name_of(each) == name]


def web_master(stack: Stack) -> list[psutil.Process]:
    return [each for each in stack.processes("tracking.server.web") if each.ppid() == stack.run.pid]


def web_workers(stack: Stack) -> list[psutil.Process]:
    return [worker for master in web_master(stack) for worker in master.children()]


def worker(stack: Stack) -> list[psutil.Process]:
    return stack.processes("celery", "worker")


def postgres(stack: Stack) -> list[psutil.Process]:
    pid = postgres_of(stack).running_pid()
    return [psutil.Process(pid)] if pid else []


Find = Callable[[Stack], list[psutil.Process]]
KINDS: dict[str, Find] = {
    "worker": worker,
    "web master": web_master,
    "web workers": web_workers,
    "broker": lambda stack: named(psutil.Process(stack.run.pid), "valkey-server"),
    "postgres": postgres,
}
#: Where all reach Postgres through PgBouncer, it is killed, too.
POOLED: dict[str, Find] = {**KINDS, "pgbouncer": lambda stack: named(psutil.Process(), "pgbouncer")}


@dataclass(frozen=True)
class Kill:
    seconds: float
    kind: str
    pids: list[int]

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s {self.kind} {' '.join(map(str, self.pids))}"


async def kill(stack: Stack, kind: str, chance: random.Random) -> list[int]:
    """The pids of what was killed: one process, or any number of the web server's workers."""
    ends = time.monotonic() + PATIENCE
    while True:
        with suppress(psutil.NoSuchProcess):
            if found := await asyncio.to_thread(POOLED[kind], stack):
                count = chance.randint(1, len(found)) if kind == "web workers" else 1
                victims = chance.sample(found, count)
                for victim in victims:
                    victim.send_signal(signal.SIGKILL)
                return [victim.pid for victim in victims]
        assert time.monotonic() < ends, f"{kind} did not come back within {PATIENCE:g} s"
        await asyncio.sleep(0.1)


async def kill_all(stack: Stack, seed: int, seconds: float, *, pooled: bool) -> list[Kill]:
    """Each kind was killed so many times in random order, spread over the seconds."""
    chance = random.Random(seed)
    kinds = [kind for kind in (POOLED if pooled else KINDS) for _ in range(TIMES)]
    chance.shuffle(kinds)
    began, kills = time.monotonic(), []
    for place, kind in enumerate(kinds):
        moment = began + (place + chance.random()) * seconds / len(kinds)
        await asyncio.sleep(moment - time.monotonic())
        pids = await kill(stack, kind, chance)
        kills.append(Kill(time.monotonic() - began, kind, pids))
    return kills
