"""The pulses of the processes of a program, as the supervisor sees them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from project.embedded.process import exists

#: Seconds without a pulse after which a process is ended.
SILENT_SECONDS = 30.0


def end_silent(directory: Path, seconds: float = SILENT_SECONDS) -> list[int]:
    """Kill the processes that have given a pulse once and none for so long. Returns their pids."""
    ended = []
    for path in directory.iterdir():
        pid = int(path.name)
        if not exists(pid):
            path.unlink(missing_ok=True)
        elif time.monotonic() - _last(path) > seconds:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                ended.append(pid)
            path.unlink(missing_ok=True)
    return ended


def clear(directory: Path) -> None:
    """Make the directory, without the pulses of an earlier start."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in directory.iterdir():
        path.unlink()


def _last(path: Path) -> float:
    """Return the time of the last pulse; now if the file is being written."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return time.monotonic()
