"""The cap on the open requests of this process, divided among its integrations."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from tracking.conf import conf


class OpenRequests:
    """Counts the open requests of all runs of this process: an ended run may still wait for
    answers while the next one has begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def open(self) -> bool:
        """Count one more request. Returns False if the process has as many as it may have."""
        with self._lock:
            if self._count >= max(1, conf.MAX_OPEN_REQUESTS):
                return False
            self._count += 1
            return True

    def close(self) -> None:
        with self._lock:
            self._count -= 1


def divide(cap: int, wanted: Mapping[int, int], turn: int) -> dict[int, int]:
    """Divide the cap: no integration gets more than it wants, and what one does not want is the
    others'. Where there are more integrations than requests, each has its turn."""
    if sum(wanted.values()) <= cap:
        return dict(wanted)
    keys = sorted(key for key, count in wanted.items() if count)
    start = turn % len(keys)
    keys = keys[start:] + keys[:start]
    if cap < len(keys):
        return dict.fromkeys(wanted, 0) | dict.fromkeys(keys[:cap], 1)
    shares = dict.fromkeys(wanted, 0)
    for place, key in enumerate(sorted(keys, key=lambda key: wanted[key])):
        shares[key] = min(wanted[key], cap // (len(keys) - place))
        cap -= shares[key]
    return shares
