"""Counts that are kept in memory and written every few seconds.

A best effort: counting costs the database nothing, and a killed process loses the counts of its
last seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from tracking import db, process

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Increment = TypeVar("Increment")

WRITE_EVERY = 5.0


class CounterBuffer(ABC, Generic[Key, Increment]):
    """Its own thread writes the counts; the first count starts the thread."""

    name: str

    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: dict[Key, Increment] = {}
        self._thread: threading.Thread | None = None

    @abstractmethod
    def add(self, one: Increment, other: Increment) -> Increment:
        """Return the sum of two increments."""

    @abstractmethod
    def save(self, counts: Mapping[Key, Increment]) -> None:
        """Write the counts to the database."""

    def _note(self, counts: Mapping[Key, Increment], most: int | None = None) -> None:
        """Add the counts; a new key only while there are fewer than `most`."""
        if not counts:
            return
        with self._lock:
            for key, count in counts.items():
                known = self._counts.get(key)
                if known is not None:
                    self._counts[key] = self.add(known, count)
                elif most is None or len(self._counts) < most:
                    self._counts[key] = count
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def forget(self) -> None:
        """Drop the counts, once those on their way to the database are there."""
        with self._writing, self._lock:
            self._counts.clear()

    def write(self) -> None:
        """Write the counts; keep what the database does not accept now."""
        with self._writing:
            with self._lock:
                counts, self._counts = self._counts, {}
            if not counts:
                return
            try:
                self.save(counts)
            except Exception as error:
                logger.debug("%s: not written yet: %s", self.name, error)
                self._note(counts)

    def _run(self) -> None:
        while self._goes_on():
            time.sleep(WRITE_EVERY)
            self.write()
            db.close()

    def _goes_on(self) -> bool:
        """Return whether there is more to write. If not, the next count starts another thread."""
        with self._lock:
            if not self._counts:
                self._thread = None
            return bool(self._counts)
