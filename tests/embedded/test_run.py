import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from project.embedded.lock import lock_var
from project.embedded.postgres import EmbeddedPostgres
from project.embedded.process import SUPERVISED, command_line, supervised_by, wait_for
from project.embedded.valkey import EmbeddedValkey
from tests.embedded.conftest import EMBEDDED, Spawn
from tests.support.cluster import MigratedPostgres

RUN = ("-m", "project.run")


def lines_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What the process printed up to the line that contains the text."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} was never printed:\n{seen}")


def test_a_busy_port_is_named_before_anything_is_started(var: Path, spawn: Spawn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = spawn(*RUN, PORT=str(port))
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert out == (
        f"Port {port} is taken by another program; choose another: make run PORT={port + 1}\n"
    )
    assert not (var / "postgres").exists()


def test_a_second_run_is_refused_with_the_pid_and_the_url_of_the_first(
    var: Path, spawn: Spawn, free_port: int
) -> None:
    lock = lock_var(var, "http://127.0.0.1:8000")
    try:
        process = spawn(*RUN, PORT=str(free_port))
        out, _ = process.communicate(timeout=20)
    finally:
        os.close(lock)
    assert process.returncode == 1
    assert out == f"Already running: pid {os.getpid()}, http://127.0.0.1:8000\n"


@pytest.mark.parametrize("port", ["0", "web", "70000"])
def test_a_port_that_is_none_is_refused(spawn: Spawn, port: str) -> None:
    process = spawn(*RUN, PORT=port)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert out == f"PORT must be a number from 1 to 65535, not '{port}'\n"


def test_leftovers_of_a_killed_run_are_ended_and_nobody_else(
    var: Path, spawn: Spawn, free_port: int
) -> None:
    hold = f"""
import socket, time
s = socket.create_server(("127.0.0.1", {free_port}))
print("up", flush=True)
time.sleep(600)
"""
    leftover = spawn("-c", hold, **{SUPERVISED: str(var)})
    bystander = spawn("-c", "import time; time.sleep(600)", **{SUPERVISED: f"{var}-other"})
    lines_until(leftover, "up")
    process = spawn(*RUN, PORT=str(free_port), HOST="192.0.2.1")
    out, _ = process.communicate(timeout=20)
    assert "Cannot listen on 192.0.2.1" in out
    assert leftover.wait(5) == -signal.SIGTERM
    assert bystander.poll() is None


def test_everything_comes_up_survives_kill_9_and_stops_cleanly(
    var: Path, spawn: Spawn, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    MigratedPostgres(var).prepare()
    first = spawn(*RUN, PORT=str(free_port), **EMBEDDED)
    banner = lines_until(first, "Ctrl-C stops everything")
    assert f"{url}/track" in banner
    assert f"{url}/console/" in banner
    assert (var / "admin_password").read_text().strip() in banner
    assert (var / "development_token").read_text().strip() in banner
    assert {path.stat().st_mode & 0o777 for path in (var, *var.glob("*_*"))} == {0o700, 0o600}
    # Kill the supervisor and its web server: granian's workers are orphans that hold the port.
    web = next(pid for pid in supervised_by(var) if "tracking.server.web" in command_line(pid))
    for pid in (first.pid, web):
        os.kill(pid, signal.SIGKILL)

    began = time.monotonic()
    second = spawn(*RUN, PORT=str(free_port), **EMBEDDED)
    assert (var / "development_token").read_text().strip() in lines_until(second, "Ctrl-C stops")
    assert time.monotonic() - began < 30
    with urllib.request.urlopen(f"{url}/admin/login/", timeout=10) as answer:
        assert answer.status == 200
    second.send_signal(signal.SIGTERM)
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 0, out
    assert supervised_by(var) == []
    assert EmbeddedPostgres(var).running_pid() is None
    assert EmbeddedValkey(var).running_pid() is None
    assert wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", free_port)) != 0, 5)
