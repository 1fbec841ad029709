"""The processes of `make run` give a pulse, and one that hangs is replaced."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.stack import Stack
from tests.support.waiting import wait_until

#: It takes half a minute to be sure that a process hangs.
IS_FULL = os.environ.get("HITSTREAM_TEST_FAULTS") == "full"


@pytest.mark.faults
def test_every_process_gives_one_and_a_web_process_that_hangs_is_replaced(
    stack: Stack, directory: Path
) -> None:
    pulses = directory / "var" / "pulse"

    def pids(name: str) -> set[int]:
        return {int(path.name) for path in (pulses / name).iterdir()}

    wait_until(lambda: len(pids("web")) >= 2, within=20)
    wait_until(lambda: pids("worker") and pids("beat"), within=20)
    if not IS_FULL:
        return
    before = pids("web")
    hanging = min(before)
    (process,) = [each for each in stack.processes("tracking.server.web") if each.pid == hanging]
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: "gave no pulse" in stack.log.read_text(), within=60)
    wait_until(lambda: len(pids("web") - before) == 1, within=30)
    assert hanging not in pids("web")
