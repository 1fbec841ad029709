"""The engine of this process: woken by the bell and by the sweep, it runs in the waker's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tracking import process
from tracking.delivery.run import Run


def nobody() -> None:
    """Nobody goes on with what is due."""


class Engine:
    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        #: Set when the process is told to stop: what is under way is finished, nothing more is
        #: claimed.
        self.stopping = threading.Event()
        self._guard = threading.Lock()
        self._run: Run | None = None

    def run(self, *, linger: float = 0.0, again: Callable[[], object] = nobody) -> None:
        """What is due is sent.

        Goes on for `linger` seconds after the last delivery, so that hits which nobody rings for
        are found. While it runs in another thread, that one is told to look again. `again` is
        called, at once, where something may be due that it does not send any more.
        """
        with self._guard:
            if self._run is not None:
                self._run.wake_from_outside()
                return
            self._run = run = Run(self.stopping, lambda: self._leave(run, again))
        try:
            run.go(linger)
        finally:
            self._leave(run, again if run.is_wanted else nobody)

    def _leave(self, run: Run, again: Callable[[], object]) -> None:
        """Another run may begin."""
        with self._guard:
            if self._run is run:
                self._run = None
        if not self.stopping.is_set():
            again()


engine = Engine()
