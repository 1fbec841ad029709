"""The leases of slots: which run of the engine sends with which part of an integration's
concurrency and rate.

A lease ends by itself, so the slots of a worker that is stopped, cut off or dead are another
worker's a few seconds later, whatever its database connection looks like. A worker that comes back
late does no harm: what it has claimed is settled under the claims' own leases.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from tracking import db
from tracking.sql import load

#: Seconds of a lease, and after which it is renewed.
SECONDS = 6.0
RENEWED_AFTER = 2.0

SQL = load(__file__)

#: An integration's id, and the number of one of its slots.
Slot = tuple[int, int]


class Leases:
    """The leases of one run of the engine."""

    def __init__(self, holder: UUID) -> None:
        self._holder = holder
        self.held: set[Slot] = set()
        self._renewed_at = 0.0

    def take(self, slots: Collection[Slot]) -> set[Slot]:
        """Lease the slots that no other run has. Returns these."""
        if not slots:
            return set()
        taken = self._execute("take", slots)
        self.held |= taken
        self._renewed_at = self._renewed_at or time.monotonic()
        return taken

    def renew(self) -> set[Slot]:
        """Renew the leases if it is time. Returns the slots that another run has by now."""
        now = time.monotonic()
        if not self.held or now - self._renewed_at < RENEWED_AFTER:
            return set()
        lost = self.held - self._execute("renew", self.held)
        self.held -= lost
        self._renewed_at = now
        return lost

    def leave(self, slots: Iterable[Slot]) -> None:
        """End the leases of the slots that are held."""
        held = self.held.intersection(slots)
        if held:
            self.held -= held
            self._execute("leave", held)

    def _execute(self, name: str, slots: Collection[Slot]) -> set[Slot]:
        parameters: dict[str, Any] = {
            "integrations": [integration for integration, _ in slots],
            "slots": [slot for _, slot in slots],
            "holder": self._holder,
            "seconds": SECONDS,
        }
        with db.write_cursor() as cursor:
            cursor.execute(SQL[name], parameters)
            return {(integration, slot) for integration, slot in cursor.fetchall()}
