"""The leases of integrations: one worker at a time delivers to each, with its own concurrency and
rate.

A lease ends by itself, so the integrations of a worker that is stopped, cut off or dead are another
worker's a few seconds later, whatever its database connection looks like. A worker that comes back
late does no harm: what it has claimed is settled under the claims' own leases.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from tracking import db
from tracking.sql import load

#: Seconds of a lease, and after which it is renewed.
SECONDS = 6.0
RENEWED_AFTER = 2.0

SQL = load(__file__)


class Leases:
    """The leases of one run of the engine."""

    def __init__(self) -> None:
        self._holder: UUID = uuid4()
        self._held: set[int] = set()
        self._renewed_at = 0.0

    def take(self, ids: Collection[int]) -> set[int]:
        """Lease the integrations that no other run has. Returns these."""
        if not ids:
            return set()
        taken = self._execute("take", ids)
        self._held |= taken
        self._renewed_at = self._renewed_at or time.monotonic()
        return taken

    def renew(self) -> set[int]:
        """Renew the leases if it is time. Returns the integrations that another run has by now."""
        now = time.monotonic()
        if not self._held or now - self._renewed_at < RENEWED_AFTER:
            return set()
        lost = self._held - self._execute("renew", self._held)
        self._held -= lost
        self._renewed_at = now
        return lost

    def leave(self, integration_id: int) -> None:
        """End the lease of the integration, if it is held."""
        if integration_id in self._held:
            self._held.discard(integration_id)
            self._execute("leave", [integration_id])

    def leave_all(self) -> None:
        for integration_id in [*self._held]:
            self.leave(integration_id)

    def _execute(self, name: str, ids: Collection[int]) -> set[int]:
        parameters: dict[str, Any] = {
            "integrations": list(ids),
            "holder": self._holder,
            "seconds": SECONDS,
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL[name], parameters)
            return {row[0] for row in cursor.fetchall()}
