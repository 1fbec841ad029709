"""Other processes: what they are, and how they end. Only our own processes are signalled."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tracking.server.parent import PR_SET_PDEATHSIG

SUPERVISED = "HITSTREAM_SUPERVISED"


def stop_with_parent() -> None:
    """Send SIGTERM to this process when its parent dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def command_line(pid: int) -> list[str]:
    """Return the arguments of a running process; none if it is gone or a zombie."""
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [os.fsdecode(part) for part in raw.rstrip(b"\0").split(b"\0")] if raw else []
    shown = subprocess.run(  # noqa: S603
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.split()


def runs_with(pid: int | None, program: str, argument: str) -> bool:
    """Return whether the pid is a live process of this program with this argument."""
    words = command_line(pid) if pid else []
    return bool(words) and Path(words[0]).name == program and argument in " ".join(words[1:])


def exists(pid: int | None) -> bool:
    """Return whether a process has this pid, even a zombie."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid is not None


def read_pid(path: Path) -> int | None:
    """Return the pid on the first line of a pid file."""
    try:
        first = path.read_text().split("\n", 1)[0].strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(first) if first.isdigit() and int(first) > 0 else None


def supervised_by(var: Path) -> list[int]:
    """Return the live processes that a supervisor of this var directory started: they carry its
    mark."""
    mark = f"{SUPERVISED}={var}"
    if sys.platform == "linux":
        found = [pid for pid in pids() if os.fsencode(mark) in _environment(pid).split(b"\0")]
    else:
        listed = subprocess.run(
            ["ps", "-Eww", "-o", "pid=,command="],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
        found = [int(pid) for pid, *rest in rows if rest and mark in rest[0].split(" ")]
    return [pid for pid in found if pid != os.getpid()]


def working_in(directory: Path, program: str) -> list[int]:
    """Return the live processes of this program with this working directory (Linux only)."""
    return [
        pid
        for pid in pids()
        if _link(pid, "cwd") == str(directory)
        and Path(_link(pid, "exe").removesuffix(" (deleted)")).name == program
    ]


def pids() -> list[int]:
    if sys.platform != "linux":
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def end_all(
    find: Callable[[], list[int]], steps: Iterable[tuple[signal.Signals | None, float]]
) -> bool:
    """End the processes; each step is a signal and the seconds to wait after it. Returns whether
    none remain."""
    for number, seconds in steps:
        for pid in find():
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        if wait_for(lambda: not find(), seconds):
            return True
    return False


def wait_for(true: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Wait until the condition holds. Returns False after these seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""
