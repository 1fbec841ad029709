"""A delivery that a worker holds under a lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery under lease until `leased_until`, after `attempts` attempts. `reached` is the
    latest time at which a delivery of the same claim was due."""

    integration_id: int
    hit_id: UUID
    reached: datetime
    leased_until: datetime
    claims: int
    attempts: int
    queued_at: datetime
