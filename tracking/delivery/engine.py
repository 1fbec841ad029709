"""The delivery engine of this process: a wake-up or the sweep calls it, in the caller's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tracking import process
from tracking.delivery.open_requests import OpenRequests
from tracking.delivery.run import Run


def nobody() -> None:
    """Do nothing: no other process continues."""


class Engine:
    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        #: Set when the process must stop: what is in flight ends, nothing more is claimed.
        self.stopping = threading.Event()
        self._guard = threading.Lock()
        self._run: Run | None = None
        self._open_requests = OpenRequests()

    def run(
        self,
        *,
        linger: float = 0.0,
        again: Callable[[], object] = nobody,
        call_others: Callable[[], object] = nobody,
    ) -> None:
        """Send what is due.

        Goes on for `linger` seconds after the last delivery, to find hits without a wake-up. While
        another thread runs the engine, that run looks again instead. `again` is called, at once, if
        something may be due that this run does not send; `call_others` each second while there is
        work for other workers.
        """
        with self._guard:
            if self._run is not None:
                self._run.wake_from_outside()
                return
            self._run = run = Run(
                self.stopping,
                self._open_requests,
                lambda: self._leave(run, again, run.live_runs),
                call_others,
            )
        try:
            run.go(linger)
        finally:
            self._leave(run, again if run.is_wanted else nobody)

    def _leave(self, run: Run, again: Callable[[], object], times: int = 1) -> None:
        """Let another run begin. The broker hands messages out by turns, so publish as many as
        there are runs: one of them reaches this worker."""
        with self._guard:
            if self._run is run:
                self._run = None
        if not self.stopping.is_set():
            for _ in range(times):
                again()


engine = Engine()
