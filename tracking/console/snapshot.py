"""The latest hits, read once per second for all viewers together.

In a process one thread reads them and the others share its snapshot. If Django's default cache is
shared, one process reads them and the others take its snapshot from the cache. Without viewers
nothing is read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from tracking.models.explain.recent import recent_hits
from tracking.presentation.replica_reads import read

logger = logging.getLogger(__name__)

#: Seconds for which a snapshot is current.
INTERVAL = 1.0
#: Seconds after which a snapshot is not shown any more, even if another process is renewing it.
STALE = 5.0
KEY, TURN = "hitstream-live", "hitstream-live-turn"


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The latest hits as of `taken_at`, in seconds since 1970; the latest first."""

    taken_at: float
    hits: Sequence[dict[str, Any]]

    def is_younger_than(self, seconds: float) -> bool:
        return 0 <= time.time() - self.taken_at < seconds


class SnapshotCache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = LiveSnapshot(0.0, ())

    def look(self) -> LiveSnapshot:
        """Return the latest hits, at most STALE seconds old."""
        if not self._last.is_younger_than(INTERVAL):
            # A thread that waited for the lock uses the snapshot of the thread before.
            with self._lock:
                if not self._last.is_younger_than(INTERVAL):
                    self._last = self._shared()
        return self._last

    def _shared(self) -> LiveSnapshot:
        """Return another process's snapshot or, if it is this one's turn, a new one."""
        if (shared := self._from_cache()) is not None:
            return shared
        taken = LiveSnapshot(time.time(), read(recent_hits))
        try:
            cache.set(KEY, taken, timeout=STALE)
        except Exception as error:
            logger.debug("Could not share the live hits with other processes: %s", error)
        return taken

    def _from_cache(self) -> LiveSnapshot | None:
        """Return the snapshot of another process, current or about to be renewed; None if it is
        this process's turn."""
        try:
            shared: LiveSnapshot | None = cache.get(KEY)
            if shared is None or shared.is_younger_than(INTERVAL):
                return shared
            is_ours = cache.add(TURN, True, timeout=INTERVAL)
        except Exception as error:
            logger.debug("Could not read the live hits of other processes: %s", error)
            return None
        return None if is_ours or not shared.is_younger_than(STALE) else shared


snapshot_cache = SnapshotCache()
