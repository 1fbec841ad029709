"""Starts the servers, then their users, keeps all running, and stops them in order."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from project.embedded.account import EmbeddedError
from project.embedded.child import Child, Program
from project.embedded.log import Log
from project.embedded.pulses import SILENT_SECONDS, end_silent

READY_SECONDS = 90.0
#: Seconds between two looks at the pulses.
PULSE_LOOK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A program, and the test that others may use it."""

    program: Program
    ready: Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Servers start together; `prepare` runs once to its end; then the programs start, the others
    as soon as the first is ready.

    Everything stops in the reverse order: the programs as listed, then the servers as listed.
    """

    servers: Sequence[Awaited]
    prepare: Program
    programs: Sequence[Program]
    ready: Callable[[], Awaitable[bool]]
    welcome: Callable[[float], str]


class Supervisor:
    def __init__(self, plan: Plan, log: Log) -> None:
        self.plan = plan
        self.log = log
        self.children: list[Child] = []
        self.stopping = asyncio.Event()
        self.hurry = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Run everything. Returns 0 after a requested stop, 1 if the start failed; nothing runs any
        more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self.ask_to_stop)
        starting = asyncio.create_task(self._start())
        asked = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if starting.done():
                starting.result()
                await asked
        except (OSError, EmbeddedError) as error:
            self.log.say("hitstream", str(error))
            return 1
        finally:
            starting.cancel()
            if self._watching is not None:
                self._watching.cancel()
            await self._stop()
        return 0

    def ask_to_stop(self) -> None:
        if self.stopping.is_set():
            self.hurry.set()
        self.stopping.set()

    async def _start(self) -> None:
        began = time.monotonic()
        servers = [(self._child(awaited.program), awaited) for awaited in self.plan.servers]
        for child, _ in servers:
            child.start()
        for child, awaited in servers:
            await self._wait_for(child, awaited.ready)
        await self._prepare()
        first, *others = self.plan.programs
        self._child(first).start()
        await self._answers(first.name)
        # Only now: on two cores they would slow down the start of the first.
        for program in others:
            self._child(program).start()
        self._watching = asyncio.create_task(self._watch_pulses())
        self.log.say("hitstream", self.plan.welcome(time.monotonic() - began))

    async def _watch_pulses(self) -> None:
        """End the processes that give no pulse; their program, or its master, starts others."""
        while not self.stopping.is_set():
            await asyncio.sleep(PULSE_LOOK_SECONDS)
            for program in self.plan.programs:
                for pid in end_silent(program.pulses) if program.pulses else ():
                    text = (
                        f"{program.name} (pid {pid}) gave no pulse for {SILENT_SECONDS:g} s: killed"
                    )
                    self.log.say("hitstream", text)

    async def _answers(self, name: str) -> None:
        began = time.monotonic()
        while not await self.plan.ready():
            if time.monotonic() - began > READY_SECONDS:
                raise EmbeddedError(f"{name} does not answer: see above")
            await asyncio.sleep(0.03)

    async def _prepare(self) -> None:
        child = self._child(self.plan.prepare)
        ending = await child.start_once()
        if ending != "exit code 0":
            raise EmbeddedError(f"{self.plan.prepare.name} failed ({ending}): see above")
        self.children.remove(child)

    def _child(self, program: Program) -> Child:
        child = Child(program, self.log)
        self.children.append(child)
        return child

    async def _wait_for(self, child: Child, ready: Callable[[], bool]) -> None:
        """Wait for the server; give up one that fails three times or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(ready):
            if child.failures >= 3 or time.monotonic() > deadline:
                raise EmbeddedError(f"{child.program.name} does not start: see above")
            await asyncio.sleep(0.02)

    async def _stop(self) -> None:
        self.log.say("hitstream", "stopping (once more to hurry)")
        names = [program.name for program in (self.plan.prepare, *self.plan.programs)]
        names += [awaited.program.name for awaited in self.plan.servers]
        for child in sorted(self.children, key=lambda child: names.index(child.program.name)):
            await child.stop(self.hurry)
        self.log.say("hitstream", "stopped")
