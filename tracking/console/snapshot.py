"""The last hits as everybody sees them who watches: looked for once a second, however many watch.

In a process one thread looks, and the others take what it has found. Where Django's default cache
is shared, one process looks, and the others take what it has put there. While nobody watches
nobody looks.
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

logger = logging.getLogger(__name__)

#: Seconds that what was found is good for.
INTERVAL = 1.0
#: Older than this it is not shown, whoever is at it, in seconds.
STALE = 5.0
KEY, TURN = "hitstream-live", "hitstream-live-turn"


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The hits that came in last by `taken_at`, in seconds since 1970; the latest first."""

    taken_at: float
    hits: Sequence[dict[str, Any]]

    def is_younger_than(self, seconds: float) -> bool:
        return 0 <= time.time() - self.taken_at < seconds


class SnapshotCache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = LiveSnapshot(0.0, ())

    def look(self) -> LiveSnapshot:
        """What came in last, at most a few seconds ago."""
        if not self._last.is_younger_than(INTERVAL):
            # Whoever comes second finds what the first has found.
            with self._lock:
                if not self._last.is_younger_than(INTERVAL):
                    self._last = self._shared()
        return self._last

    def _shared(self) -> LiveSnapshot:
        """What another process has found, or what we find if it is our turn."""
        if (shared := self._from_cache()) is not None:
            return shared
        taken = LiveSnapshot(time.time(), recent_hits())
        try:
            cache.set(KEY, taken, timeout=STALE)
        except Exception as error:
            logger.debug("Could not share the live hits with other processes: %s", error)
        return taken

    def _from_cache(self) -> LiveSnapshot | None:
        """What another process has found or is about to replace; None if it is our turn."""
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
