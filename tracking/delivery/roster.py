"""The live runs of the engine, in all workers, and which slots of integrations are whose.

Every run knows the same order of runs, so each slot has one run that is entitled to it, without
an election. A run that appears or ends changes the division; slots move as their requests end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

from tracking import db
from tracking.delivery.lease import SECONDS, Slot
from tracking.models import Integration
from tracking.sql import load

SQL = load(__file__)

#: Slots of an integration, where its concurrency allows so many: equal parts for up to three runs,
#: and for six.
SLOTS = 6
#: Seconds between two looks at the other runs.
ANNOUNCED_EVERY = 1.0


def slots_of(integration: Integration) -> range:
    """Return the slots that may be leased: a single one for the one request of a probe."""
    return range(1 if integration.paused_at else slot_count(integration))


def slot_count(integration: Integration) -> int:
    return max(1, min(SLOTS, integration.concurrency))


def concurrency_of(integration: Integration, held: int) -> int:
    """Return the concurrent requests of so many slots. Slots of one integration never have more
    than its concurrency together."""
    count = slot_count(integration)
    return integration.concurrency if held >= count else integration.concurrency * held // count


class Roster:
    """One run among the live runs. A run that has nothing to do is not announced."""

    def __init__(self, holder: UUID) -> None:
        self._holder = holder
        self._announced_at: float | None = None
        self._is_retired = False
        self._rank, self.runs = 0, 1

    def refresh(self) -> None:
        """Announce this run and look at the others, if it is time."""
        now = time.monotonic()
        if self._is_retired or (
            self._announced_at is not None and now - self._announced_at < ANNOUNCED_EVERY
        ):
            return
        with db.write_cursor() as cursor:
            cursor.execute(SQL["announce"], {"holder": self._holder, "seconds": SECONDS})
            self._rank, self.runs = cursor.fetchone()
        self._announced_at = now

    def is_mine(self, slot: Slot) -> bool:
        """Return whether this run is entitled to the slot."""
        return not self._is_retired and sum(slot) % self.runs == self._rank

    def mine(self, integration: Integration) -> Iterator[Slot]:
        """Return the slots of the integration that this run is entitled to."""
        slots = ((integration.pk, number) for number in slots_of(integration))
        return (slot for slot in slots if self.is_mine(slot))

    def retire(self) -> None:
        """Leave all slots to the others."""
        if self._announced_at is not None and not self._is_retired:
            with db.write_cursor() as cursor:
                cursor.execute(SQL["retire"], {"holder": self._holder})
        self._is_retired = True
