"""The command lines of the three kinds of process, as arguments of `python -m`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tracking.server.environment import number

#: Seconds that a new web process may take until it is ready to replace an old one.
READY_SECONDS = 60
#: The variable with the folder in which a ready process makes a file, named by its pid.
READY_FOLDER = "HITSTREAM_READY"
CELERY = ("celery", "--quiet", "-A", "tracking.server.celery")


def web_processes() -> int:
    """Return HITSTREAM_WORKERS, else one process for each core, but at least two, so that one
    serves while the other is replaced. Raises ImproperlyConfigured."""
    return number("HITSTREAM_WORKERS", least=1) or max(2, os.cpu_count() or 2)


def web(workers: int, ready_seconds: int = READY_SECONDS) -> list[str]:
    options = f"--workers {workers} --ready-seconds {ready_seconds}"
    return ["tracking.server.web", *options.split()]


def worker(threads: int = 16, number: int | None = None) -> list[str]:
    """Return the command of a worker, or of one of several of this host."""
    options = f"--pool threads --concurrency {threads} --loglevel WARNING"
    name = [] if number is None else ["--hostname", f"celery{number}@%h"]
    return [*CELERY, "worker", *options.split(), *name, "--without-gossip", "--without-mingle"]


def beat() -> list[str]:
    """Return the command without the path of its schedule, which comes last."""
    return [*CELERY, "beat", "--loglevel", "WARNING", "--schedule"]


def schedule() -> str:
    """Return the path of beat's schedule in a folder that only this user can enter: systemd's
    RuntimeDirectory, that of the login, or a new one. Beat can do without an older schedule."""
    if folder := runtime_folder():
        return str(Path(folder) / "hitstream-beat")
    return str(Path(tempfile.mkdtemp(prefix="hitstream-beat-")) / "schedule")


def runtime_folder() -> str | None:
    """Return the folder for files of this run: systemd's RuntimeDirectory, or that of the login;
    None without one."""
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        folder = os.environ.get(name, "").partition(":")[0]
        if folder and os.access(folder, os.W_OK):
            return folder
    return None
