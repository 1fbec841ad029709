"""A cached probe of something that may never answer.

Each probe runs on a thread of its own, one at a time for all callers. Its answer is cached for a
moment; a caller who asks again meanwhile, or while nothing answers, does not wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import connections

from tracking import process

Answer = TypeVar("Answer")


class NoAnswerError(Exception):
    """The probe did not answer in time."""


class Probe(Generic[Answer]):
    """`patience` is how long a caller waits for the answer, `remember` how long the answer is good;
    both in seconds. An error that `ask` raises is its answer, too."""

    def __init__(self, ask: Callable[[], Answer], *, patience: float, remember: float) -> None:
        self._ask = ask
        self.patience = patience
        self._remember = remember
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._asked_at: float | None = None
        self.forget()

    def forget(self) -> None:
        """Drop the cached answer."""
        self._good_until = 0.0

    @property
    def is_known(self) -> bool:
        """Whether `answer` would return at once."""
        return time.monotonic() < self._good_until

    def begin(self) -> None:
        """Start the probe, unless the answer is cached. Returns at once."""
        if not self.is_known:
            self._begin()

    def answer(self) -> Answer:
        """Return the answer. Raises NoAnswerError, or the error of `ask`."""
        if not self.is_known and not self._begin().wait(self._patience_left()):
            raise NoAnswerError
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    def _begin(self) -> threading.Event:
        with self._lock:
            if self._asked_at is None:
                self._asked_at = time.monotonic()
                self._answered = threading.Event()
                threading.Thread(target=self._run, name="hitstream-health", daemon=True).start()
            return self._answered

    def _patience_left(self) -> float:
        """Return the seconds to wait. A caller who comes while nothing has answered for too long
        does not wait."""
        asked_at = self._asked_at
        waited = 0.0 if asked_at is None else time.monotonic() - asked_at
        return max(0.0, self.patience - waited)

    def _run(self) -> None:
        try:
            self._found: Answer | Exception = self._ask()
        except Exception as error:
            self._found = error
        connections.close_all()
        with self._lock:
            self._good_until = time.monotonic() + self._remember
            self._asked_at = None
            self._answered.set()
