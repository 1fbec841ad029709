"""How many hits were refused, by token and code: counted in memory, written every few seconds.

A best effort: refusing costs the database nothing, and a process that is killed takes the counts of
its last seconds with it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime

from django.db import connections, router

from tracking.models import Tally
from tracking.models.ledger import What

logger = logging.getLogger(__name__)

WRITE_EVERY = 5.0
#: The token of a stranger.
NOBODY = 0


class Refusals:
    """Written by a thread of its own, which the first refusal starts."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int, str]] = Counter()
        self._thread: threading.Thread | None = None

    def note(self, token_id: int, code: str) -> None:
        """One hit of the token was refused with this code."""
        with self._lock:
            self._counts[token_id, code] += 1
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="hitstream-refusals", daemon=True
                )
                self._thread.start()

    def forget(self) -> None:
        """Nothing was noted."""
        with self._lock:
            self._counts.clear()

    def write(self) -> None:
        """What was noted is in the ledger; what the database does not take now is kept."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        tallies = [
            Tally(hour=hour, token_id=token_id, what=What.REFUSED, reason=code, count=count)
            for (token_id, code), count in counts.items()
        ]
        try:
            Tally.objects.bulk_create(tallies)
        except Exception as error:
            logger.debug("Refusals are not counted yet: %s", error)
            with self._lock:
                self._counts.update(counts)

    def _run(self) -> None:
        while self._counts:
            time.sleep(WRITE_EVERY)
            self.write()
            connections[router.db_for_write(Tally)].close()


refusals = Refusals()
