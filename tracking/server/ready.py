"""A web process tells its server that it is ready: it listens, and a hit would be stored."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from tracking.ingest.write import readiness
from tracking.server.commands import READY_FOLDER
from tracking.server.front.outgoing import is_listening, sockets

POLL_SECONDS = 0.05


def announce() -> None:
    """Make the file as soon as the process is ready, if its server waits for it."""
    if folder := os.environ.get(READY_FOLDER):
        path = Path(folder) / str(os.getpid())
        threading.Thread(target=_wait, args=(path,), name="ready", daemon=True).start()


def _wait(path: Path) -> None:
    while not any(is_listening(found) for found in sockets()):
        time.sleep(POLL_SECONDS)
    while readiness.why_not_ready():
        time.sleep(POLL_SECONDS)
    if path.parent.exists():
        path.touch()
