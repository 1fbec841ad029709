"""A process that hangs gives no pulse, and is ended; one that works is left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from project.embedded.pulses import end_silent
from tests.support.stack import ROOT
from tests.support.waiting import wait_until
from tracking.server import pulse

BEGIN = (
    "from tracking.server import pulse; pulse.INTERVAL = 0.1; pulse.start(); import time, ctypes; "
)
#: Native code that keeps Python's lock: no other thread has a turn.
HANG = BEGIN + "time.sleep(0.5); ctypes.PyDLL(None).sleep(60)"
WORK = BEGIN + "time.sleep(60)"


@contextmanager
def process(code: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, pulse.DIRECTORY: str(directory)}
    made = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    try:
        wait_until(lambda: (directory / str(made.pid)).exists(), within=20)
        yield made
    finally:
        made.kill()
        made.wait()


@pytest.mark.parametrize("code", [HANG, WORK])
def test_a_process_without_a_pulse_is_ended(tmp_path: Path, code: str) -> None:
    with process(WORK, tmp_path) as working, process(code, tmp_path) as hanging:
        if code == WORK:
            hanging.send_signal(signal.SIGSTOP)
        ended: list[int] = []
        deadline = time.monotonic() + 20
        while not ended and time.monotonic() < deadline:
            time.sleep(0.1)
            ended = end_silent(tmp_path, seconds=2.0)
        assert ended == [hanging.pid]
        assert hanging.wait(5) == -signal.SIGKILL
        assert working.poll() is None
        assert [path.name for path in tmp_path.iterdir()] == [str(working.pid)]


def test_who_has_ended_or_cannot_write_is_no_hanging_process(tmp_path: Path) -> None:
    with process(WORK, tmp_path) as gone:
        pass
    (tmp_path / str(os.getpid())).write_text("")
    assert end_silent(tmp_path, seconds=0.0) == []
    assert not (tmp_path / str(gone.pid)).exists()
