"""A stop signal is lost at no moment of a web process's life."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: The child of a server whose handler only sets a flag, as granian's does.
FORKED = """
import multiprocessing, os, signal, sys, time
from tracking.server.stop_signals import let_new_processes_stop
for each in (signal.SIGTERM, signal.SIGINT):
    signal.signal(each, lambda *_: None)
let_new_processes_stop()
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
child.start()
os.kill(child.pid, int(sys.argv[1]))
child.join(20)
# The parent has kept its own.
os.kill(os.getpid(), int(sys.argv[1]))
print(child.exitcode)
"""
#: A process whose handlers are set, whose loop runs only later, and for how long.
OPENING = """
import os, signal, sys, uvloop
from tracking.server.stop_signals import end_until_running
loop = uvloop.new_event_loop()
loop.add_signal_handler(signal.SIGTERM, lambda: print("heard", flush=True) or loop.stop())
end_until_running(loop)
if sys.argv[1] == "running":
    loop.call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
else:
    os.kill(os.getpid(), signal.SIGTERM)
loop.call_later(20, loop.stop)
loop.run_forever()
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_new_process_ends_by_a_signal_from_its_first_moment(number: signal.Signals) -> None:
    done = run(FORKED, str(number.value))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(-number)]


def test_a_process_that_opens_ends_at_once() -> None:
    done = run(OPENING, "opening")
    assert done.returncode == -signal.SIGTERM, done.stderr


def test_a_process_that_runs_hears_the_signal_itself() -> None:
    done = run(OPENING, "running")
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
