"""Whether this process takes Postgres for away: its hits then go straight to the spool.

A hit that Postgres does not commit says that it is away. That it is back says the keeper's thread,
by a storing statement that is rolled back.
"""

from __future__ import annotations

import logging
import threading
import time

from tracking.ingest.write.readiness import readiness

logger = logging.getLogger(__name__)


class Presence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By the monotonic clock; None while Postgres is there.
        self.away_since: float | None = None

    @property
    def is_away(self) -> bool:
        return self.away_since is not None

    def lose(self) -> None:
        """Take Postgres for away."""
        with self._lock:
            if self.away_since is not None:
                return
            # The last answer may be older than the loss.
            readiness.forget()
            self.away_since = time.monotonic()
        logger.error("Postgres is away: hits of known tokens go to the spool")

    def regain(self) -> None:
        """Take Postgres for present."""
        with self._lock:
            since, self.away_since = self.away_since, None
        if since is not None:
            logger.warning("Postgres is back after %.0f s", time.monotonic() - since)
