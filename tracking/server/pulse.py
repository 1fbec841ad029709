"""The pulse of a supervised process: a file that a thread of it rewrites.

Native code that keeps Python's lock, and a process that is stopped, give none. The supervisor ends
a process that gives no pulse for too long, and starts another one (`project.embedded.pulses`).
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

#: The variable with the directory of a program's pulses. Only the supervisor sets it.
DIRECTORY = "HITSTREAM_PULSE"
#: Seconds between two pulses.
INTERVAL = 2.0


def start() -> None:
    """Give a pulse from now on, if the process is supervised."""
    if directory := os.environ.get(DIRECTORY):
        path = Path(directory) / str(os.getpid())
        threading.Thread(target=_beat, args=(path,), name="pulse", daemon=True).start()


def _beat(path: Path) -> None:
    while path.parent.exists():
        # The system's own clock: no change of the time and no sleep of the machine disturbs it.
        with suppress(OSError):  # On a full disk it is empty, which says nothing.
            path.write_text(f"{time.monotonic()}")
        time.sleep(INTERVAL)
