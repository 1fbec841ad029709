"""The web server: granian, which replaces a process only once the new one is ready.

SIGHUP replaces the processes one by one. A new process that is not ready in time, or that ends, is
stopped, and the old one goes on: wrong settings take no server down.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, TaskImpl
from granian.http import HTTP1Settings
from granian.log import logger
from granian.server.mp import MPServer, WorkerProcess

from tracking.server.commands import READY_FOLDER, READY_SECONDS, runtime_folder
from tracking.server.environment import text
from tracking.server.logs import config_of_granian
from tracking.server.stop_signals import let_new_processes_stop

#: Seconds that a stopping process has for the requests that it has read.
STOP_SECONDS = 15
POLL_SECONDS = 0.05


class WebServer(MPServer):
    """Granian's own server waits a fixed time instead, ready or not."""

    def __init__(self, target: str, *, folder: Path, ready_seconds: float, **options: Any) -> None:
        super().__init__(target, **options)
        self._folder = folder
        self._ready_seconds = ready_seconds

    def _respawn_workers(
        self,
        workers: Sequence[int],
        spawn_target: Callable[..., None],
        target_loader: Callable[..., Any],
        delay: float = 0,
    ) -> None:
        """Start these processes again. Those that ended by themselves come without a delay; all
        others still serve, and are replaced in turn."""
        for index in workers:
            old = self.wrks[index]
            self.respawned_wrks[index] = time.monotonic()
            # Whatever tidies temporary folders may have removed it since.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._spawn_worker(index, spawn_target, target_loader)
            # Until it is ready, its end is no reason to end the server.
            new.interrupt_by_parent = bool(delay)
            new.start()
            if delay and not self._is_ready(new):
                self._stop(new)
                if not self.interrupt_signal:
                    logger.error("The new worker-%s is not ready: the old one stays", index + 1)
                return
            new.interrupt_by_parent = False
            self.wrks[index] = new
            self._stop(old)
            # One that has ended meanwhile is replaced already.
            self.interrupt_children = [each for each in self.interrupt_children if each != index]
            logger.info("Replaced worker-%s", index + 1)

    def _is_ready(self, new: WorkerProcess) -> bool:
        """Wait until the process is ready. Returns whether it is."""
        until = time.monotonic() + self._ready_seconds
        file = self._folder / str(new.inner.pid)
        while not file.exists():
            if self.interrupt_signal or not new.is_alive() or time.monotonic() > until:
                return False
            time.sleep(POLL_SECONDS)
        # A later process may have the same pid.
        file.unlink(missing_ok=True)
        return bool(new.is_alive())

    def _stop(self, process: WorkerProcess) -> None:
        """End a process, first by SIGTERM."""
        process.terminate()
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def serve(options: argparse.Namespace) -> None:
    let_new_processes_stop()
    with tempfile.TemporaryDirectory(
        prefix="hitstream-web-", dir=runtime_folder(), ignore_cleanup_errors=True
    ) as folder:
        os.environ[READY_FOLDER] = folder
        WebServer(
            "tracking.server.app:app",
            folder=Path(folder),
            ready_seconds=options.ready_seconds,
            address=options.host,
            port=options.port,
            workers=options.workers,
            interface=Interfaces.RSGI,
            task_impl=TaskImpl.asyncio,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000),
            websockets=False,
            backlog=4096,
            backpressure=2048,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
            log_dictconfig=config_of_granian(text("HITSTREAM_LOG_FORMAT", "line")),
        ).serve()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("tracking.server.web", description=__doc__)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8000)
    made.add_argument("--workers", type=int, default=2)
    made.add_argument("--ready-seconds", type=float, default=READY_SECONDS)
    return made


if __name__ == "__main__":
    serve(parser().parse_args())
