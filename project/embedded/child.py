"""One supervised process: start it, log its output, restart it when it dies, stop it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from project.embedded.account import Account, EmbeddedError
from project.embedded.log import Log, lines_of
from project.embedded.process import command_line
from tracking.server.parent import die_with_parent

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
HURRY_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, and how to end it: `grace` seconds after `stop_signal` it is killed."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account = field(default_factory=Account)
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    # Where its processes give their pulses, if they do.
    pulses: Path | None = None
    # Runs before every start, in a thread. Returns the pid of a process to adopt instead, or None.
    before: Callable[[], int | None] = lambda: None


def delay_from_environment() -> float:
    """Return the seconds before a dead program starts again, which double with each death."""
    return float(os.environ.get("HITSTREAM_RESTART_DELAY") or FIRST_DELAY)


class Child:
    def __init__(self, program: Program, log: Log, *, first_delay: float | None = None) -> None:
        self.program = program
        self.log = log
        self.failures = 0
        self.pid: int | None = None
        self._first_delay = delay_from_environment() if first_delay is None else first_delay
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | asyncio.Task[str] | None = None

    def start(self) -> None:
        """Run the program, again and again, until it is stopped."""
        self._task = asyncio.create_task(self._keep())

    async def start_once(self) -> str:
        """Run the program once. Returns how it ended, in words; `exit code 0` for success."""
        task = self._task = asyncio.create_task(self._run())
        return await asyncio.shield(task)

    async def _run(self) -> str:
        adopted = await asyncio.to_thread(self.program.before)
        if self._stopping.is_set() and adopted is None:
            return "not started"
        if adopted is not None:
            return await self._watch(adopted)
        code = await self._spawn()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    async def _spawn(self) -> int:
        # Not asyncio's own pipe: until Python 3.12 its wait() lasts as long as an orphan holds it.
        output, given = os.pipe()
        printing = asyncio.create_task(self._print(output))
        try:
            process = await asyncio.create_subprocess_exec(
                *self.program.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=given,
                stderr=given,
                env={**os.environ, **self.program.environment},
                # Ctrl-C reaches only the supervisor, which stops its children in order.
                start_new_session=True,
                preexec_fn=die_with_parent(self.program.stop_signal),
                **self.program.account.identity,
            )
        finally:
            os.close(given)
        self.pid = process.pid
        if self._stopping.is_set():
            self._signal(self.program.stop_signal)
        code = await process.wait()
        self.pid = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(printing, 2)
        return code

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the program within its grace; at once with `hurry`."""
        self._stopping.set()
        if self._task is None:
            return
        self._signal(self.program.stop_signal)
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {self._task, hurried},
            timeout=self.program.grace,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not self._task.done() and hurry.is_set():
            self._signal(self.program.hurry_signal)
            await asyncio.wait({self._task}, timeout=HURRY_SECONDS)
        if not self._task.done():
            self.log.say("hitstream", f"{self.program.name} does not stop: killed")
            self._signal(signal.SIGKILL)
        hurried.cancel()
        await asyncio.wait({self._task}, timeout=HURRY_SECONDS)

    async def _keep(self) -> None:
        delay = self._first_delay
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                ending = await self._run()
            except EmbeddedError as error:
                ending = str(error)
            except Exception as error:
                ending = f"{type(error).__name__}: {error}"
            if self._stopping.is_set():
                return
            self.failures += 1
            if time.monotonic() - began > LONGEST_DELAY:
                delay = self._first_delay
            self.log.say("hitstream", f"{self.program.name} ended ({ending}): again in {delay:g} s")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _watch(self, pid: int) -> str:
        self.pid = pid
        self.log.say("hitstream", f"{self.program.name} still runs as pid {pid}: adopted")
        if self._stopping.is_set():
            self._signal(self.program.stop_signal)
        while command_line(pid):
            await asyncio.sleep(0.1)
        self.pid = None
        return "adopted, now gone"

    async def _print(self, output: int) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", 0)
        )
        try:
            async for line in lines_of(stream):
                self.log.say(self.program.name, line or " ")
        finally:
            transport.close()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
