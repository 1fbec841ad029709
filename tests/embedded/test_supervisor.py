import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from project.embedded.child import Child, Program
from project.embedded.log import Log
from project.embedded.process import command_line
from project.embedded.supervisor import Awaited, Plan, Supervisor

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP

POLITE = "import signal; signal.signal(15, lambda *_: exit(print('bye'))); " + SLEEP


def python(name: str, code: str, **options: float) -> Program:
    return Program(name=name, command=lambda: (sys.executable, "-c", code), **options)  # type: ignore[arg-type]


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def plan(*, programs: list[Program], prepare: str = "print('prepared')") -> Plan:
    async def ready() -> bool:
        return True

    return Plan(
        servers=[Awaited(program=python("server", SLEEP), ready=lambda: True)],
        prepare=python("prepare", prepare),
        programs=programs,
        ready=ready,
        welcome=lambda seconds: "ready",
    )


def supervise(plan: Plan, act: Callable[[Supervisor, io.StringIO], object]) -> tuple[int, str]:
    """The exit code and the log of a supervisor while `act` did something to it."""
    out = io.StringIO()

    async def both() -> int:
        supervisor = Supervisor(plan, Log(out))
        running = asyncio.create_task(supervisor.run())
        acting = act(supervisor, out)
        try:
            if asyncio.iscoroutine(acting):
                await acting
        except AssertionError:
            supervisor.ask_to_stop()
            await running
            raise
        return await running

    return asyncio.run(both()), out.getvalue()


def pid_of(supervisor: Supervisor, name: str) -> int | None:
    return next((c.pid for c in supervisor.children if c.program.name == name), None)


def test_all_stops_in_order_and_with_exit_code_0() -> None:
    async def act(supervisor: Supervisor, out: io.StringIO) -> None:
        await until(lambda: out.getvalue().count("| up") == 3)
        supervisor.ask_to_stop()

    programs = [python(name, POLITE) for name in ("web", "worker")]
    code, log = supervise(plan(programs=programs), act)
    assert code == 0
    assert log.index("prepare   | prepared") < log.index("web       | up")
    assert log.index("web       | bye") < log.index("worker    | bye")


def test_a_killed_child_is_started_again_and_the_log_says_so() -> None:
    async def act(supervisor: Supervisor, out: io.StringIO) -> None:
        for name in ("web", "server"):
            await until(lambda: f"{name:<10}| up" in out.getvalue())  # noqa: B023
            pid = pid_of(supervisor, name)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: out.getvalue().count(f"{name:<10}| up") == 2)  # noqa: B023
        supervisor.ask_to_stop()

    code, log = supervise(plan(programs=[python("web", SLEEP)]), act)
    assert code == 0
    assert "web ended (SIGKILL): again in 0.5 s" in log
    assert "server ended (SIGKILL): again in 0.5 s" in log


def test_the_delay_grows_while_a_child_keeps_dying() -> None:
    async def die() -> str:
        out = io.StringIO()
        child = Child(python("web", "raise SystemExit(3)"), Log(out), first_delay=0.05)
        child.start()
        await until(lambda: child.failures == 4)
        await child.stop(asyncio.Event())
        return out.getvalue()

    log = asyncio.run(die())
    for delay in ("0.05", "0.1", "0.2", "0.4"):
        assert f"web ended (exit code 3): again in {delay} s" in log


def test_a_server_that_cannot_start_is_given_up_with_its_reason() -> None:
    def broken() -> list[str]:
        raise ImportError("no such wheel")

    server = Awaited(program=Program(name="server", command=broken), ready=lambda: False)
    code, log = supervise(replace(plan(programs=[]), servers=[server]), lambda *_: None)
    assert code == 1
    assert "server ended (ImportError: no such wheel)" in log
    assert "server does not start: see above" in log


def test_a_failed_preparation_stops_everything_with_exit_code_1() -> None:
    code, log = supervise(
        plan(programs=[python("web", SLEEP)], prepare="raise SystemExit(2)"), lambda *_: None
    )
    assert code == 1
    assert "prepare failed (exit code 2)" in log
    assert "web " not in log


def test_a_child_that_does_not_stop_is_killed_after_its_grace() -> None:
    async def act(supervisor: Supervisor, out: io.StringIO) -> None:
        await until(lambda: "web       | up" in out.getvalue())
        supervisor.ask_to_stop()

    code, log = supervise(plan(programs=[python("web", STUBBORN, grace=0.3)]), act)
    assert code == 0
    assert "web does not stop: killed" in log


def test_a_second_request_to_stop_hurries() -> None:
    async def act(supervisor: Supervisor, out: io.StringIO) -> None:
        await until(lambda: "web       | up" in out.getvalue())
        supervisor.ask_to_stop()
        await asyncio.sleep(0.1)
        supervisor.ask_to_stop()

    began = time.monotonic()
    code, _ = supervise(plan(programs=[python("web", STUBBORN, grace=60)]), act)
    assert code == 0
    assert time.monotonic() - began < 10


def test_what_a_killed_child_left_behind_is_ended_with_it() -> None:
    fork = (
        "import os, time; pid = os.fork(); pid and print('pid', pid, flush=True); time.sleep(600)"
    )

    async def act(supervisor: Supervisor, out: io.StringIO) -> None:
        await until(lambda: "| pid" in out.getvalue())
        orphan = int(out.getvalue().partition("| pid ")[2].split()[0])
        leader = pid_of(supervisor, "web")
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        await until(lambda: not command_line(leader) and not command_line(orphan))
        supervisor.ask_to_stop()

    code, _ = supervise(plan(programs=[python("web", fork)]), act)
    assert code == 0


def test_a_line_without_an_end_and_broken_utf_8_are_logged() -> None:
    code = "import sys; sys.stdout.buffer.write(b'x' * 200000 + b'\\nbad \\xff\\nlast')"
    out = io.StringIO()

    async def once() -> str:
        return await Child(python("web", code), Log(out)).start_once()

    assert asyncio.run(once()) == "exit code 0"
    assert "bad \N{REPLACEMENT CHARACTER}" in out.getvalue()
    assert out.getvalue().endswith("| last\n")


def test_a_full_disk_under_the_log_stops_nothing() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 (closing it fails, too)
    Log(full).say("web", "this cannot be written")
    with pytest.raises(OSError, match="No space"):
        full.close()
