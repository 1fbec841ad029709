"""The engine of this process: woken by the bell and by the sweep, it runs in the waker's thread."""

from __future__ import annotations

import os
import threading

from tracking.outbox.run import Run


class Engine:
    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        #: Set when the process is told to stop: what is under way is finished, nothing more is
        #: claimed.
        self.stopping = threading.Event()
        self._guard = threading.Lock()
        self._run: Run | None = None
        self._poked = False

    def run(self, *, linger: float = 0.0) -> bool:
        """What is due is sent. Whether more may be due all the same.

        Goes on for `linger` seconds after the last delivery, so that hits which nobody rings for
        are found. While it runs in another thread, that one is told to look again.
        """
        with self._guard:
            if self._run is not None:
                self._poked = True
                self._run.wake_from_outside()
                return False
            self._run = run = Run(self.stopping)
        try:
            unfinished = run.go(linger)
        finally:
            with self._guard:
                poked, self._poked, self._run = self._poked, False, None
        return (unfinished or poked) and not self.stopping.is_set()


engine = Engine()
