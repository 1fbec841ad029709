"""Lower bounds for scans of the queue.

Settled rows stay in the index until no transaction sees them any more; a claim that walked over
them each time would take a hundred times as long beside one open snapshot.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from tracking import process
from tracking.models.deliveries.queue import ALWAYS

#: Seconds that claims look back behind the last one, for rows committed late. Each claim walks over
#: what was settled meanwhile: ten seconds halve the claims/s beside an open snapshot.
SLACK = timedelta(seconds=1)
#: Seconds between two scans without a bound.
SWEEP_INTERVAL = 30.0


class ScanBounds:
    """A moving lower bound on due_at for each integration, known to one process."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._floors: dict[int, datetime] = {}
        self._swept: dict[tuple[str, int], float] = {}

    def get(self, reader: str, integration_id: int) -> datetime:
        """Return the bound for this reader's next scan; from time to time none."""
        now = time.monotonic()
        if now - self._swept.get((reader, integration_id), -SWEEP_INTERVAL) >= SWEEP_INTERVAL:
            self._swept[reader, integration_id] = now
            return ALWAYS
        return self._floors.get(integration_id, ALWAYS)

    def raise_to(self, integration_id: int, due_at: datetime) -> None:
        """Note that everything that was due before is claimed."""
        self._floors[integration_id] = max(due_at - SLACK, self._floors.get(integration_id, ALWAYS))


scan_bounds = ScanBounds()
process.on_forget(scan_bounds.clear)
