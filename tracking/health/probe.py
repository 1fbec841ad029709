"""A question to something that may never answer.

Each is asked on a thread of its own, one at a time whoever wants to know. The answer is remembered
for a moment; who asks again meanwhile, or while nobody answers, waits for nothing.
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
    """It did not answer in time."""


class Probe(Generic[Answer]):
    """`patience` is how long one waits for the answer, `remember` how long it is good; in seconds.
    An error that `ask` raises is its answer, too."""

    def __init__(self, ask: Callable[[], Answer], *, patience: float, remember: float) -> None:
        self._ask = ask
        self._patience = patience
        self._remember = remember
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._asked_at: float | None = None
        self.forget()

    def forget(self) -> None:
        """What was answered is not good any more."""
        self._good_until = 0.0

    @property
    def is_known(self) -> bool:
        """Whether `answer` would come at once."""
        return time.monotonic() < self._good_until

    def begin(self) -> None:
        """It is asked, unless the answer is known; nobody waits yet."""
        if not self.is_known:
            self._begin()

    def answer(self) -> Answer:
        """Raises NoAnswerError, or what `ask` did."""
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
        """Whoever comes while nobody has answered for too long already does not wait at all."""
        asked_at = self._asked_at
        waited = 0.0 if asked_at is None else time.monotonic() - asked_at
        return max(0.0, self._patience - waited)

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
