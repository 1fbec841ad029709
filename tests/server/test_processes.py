"""Several processes under one: they are started again, end with it, and never outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys
from tracking.server import processes
processes.FIRST_DELAY = 0.05
child = [sys.executable, "-c", "import time; time.sleep(60)"]
polite = [sys.executable, "-c",
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); time.sleep(60)"]
sys.exit(processes.keep_running([polite, polite] if sys.argv[1] == "polite" else [child]))
"""
CLI = "import sys; from tracking.server.cli import main; sys.exit(main())"


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[psutil.Popen]:
    process = psutil.Popen([sys.executable, "-c", PARENT, request.param], cwd=ROOT)
    yield process
    for each in (*process.children(recursive=True), process) if process.is_running() else ():
        each.kill()
    process.wait()


def children(parent: psutil.Popen, count: int) -> list[psutil.Process]:
    wait_until(lambda: len(parent.children()) == count, within=20)
    return list(parent.children())


@pytest.mark.parametrize("parent", ["polite"], indirect=True)
def test_one_that_dies_is_started_again_and_all_end_with_the_parent(parent: psutil.Popen) -> None:
    first, second = children(parent, 2)
    first.kill()
    wait_until(lambda: first not in parent.children() and len(parent.children()) == 2, within=20)
    assert second in parent.children()
    started = parent.children()
    wait_until(lambda: all(has_handler(each) for each in started), within=20)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(20) == 0
    assert not [each for each in started if each.is_running()]


@pytest.mark.parametrize("parent", ["polite"], indirect=True)
def test_a_parent_that_is_killed_leaves_none(parent: psutil.Popen) -> None:
    left = children(parent, 2)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not [each for each in left if is_alive(each)], within=20)
    assert not [each for each in left if is_alive(each)]


@pytest.mark.parametrize("parent", ["rude"], indirect=True)
def test_one_that_does_not_end_in_order_is_a_failure(parent: psutil.Popen) -> None:
    children(parent, 1)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(20) == 1


@pytest.mark.parametrize("wrong", ["0", "many", "-1"])
def test_a_number_of_processes_that_is_none_is_refused(wrong: str) -> None:
    command = [sys.executable, "-c", CLI, "worker", f"--processes={wrong}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "--processes" in said.stderr


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def has_handler(process: psutil.Process) -> bool:
    """Whether the process has a handler of its own for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
