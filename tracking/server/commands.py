"""The command lines of the three kinds of process, as arguments of `python -m`."""

from __future__ import annotations

import os

#: Seconds from the start of a new web process to the end of the one that it replaces. Granian does
#: not ask whether the new one is ready; a busy machine takes several seconds.
REPLACE_SECONDS = 15
CELERY = ("celery", "--quiet", "-A", "tracking.server.celery")


def web_processes() -> int:
    """Return HITSTREAM_WORKERS, else one process for each core, but at least two, so that one
    serves while the other is replaced."""
    return int(os.environ.get("HITSTREAM_WORKERS") or max(2, os.cpu_count() or 2))


def web(workers: int, replace_seconds: int = REPLACE_SECONDS) -> list[str]:
    options = (
        "--interface rsgi --task-impl asyncio --loop uvloop --http 1 --no-ws --backlog 4096 "
        "--backpressure 2048 --http1-header-read-timeout 10000 --respawn-failed-workers "
        f"--workers-kill-timeout 15 --respawn-interval {replace_seconds} --workers {workers}"
    )
    return ["granian", *options.split(), "tracking.server.app:app"]


def worker(threads: int = 16, number: int | None = None) -> list[str]:
    """Return the command of a worker, or of one of several of this host."""
    options = f"--pool threads --concurrency {threads} --loglevel WARNING"
    name = [] if number is None else ["--hostname", f"celery{number}@%h"]
    return [*CELERY, "worker", *options.split(), *name, "--without-gossip", "--without-mingle"]


def beat() -> list[str]:
    """Return the command without the path of its schedule, which comes last."""
    return [*CELERY, "beat", "--loglevel", "WARNING", "--schedule"]
