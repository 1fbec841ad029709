"""The time in a UUIDv7: a hit's partition, its hour in the ledger and its time of receipt agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def first_uuid7(moment: datetime) -> UUID:
    """Return the least UUIDv7 of that millisecond: a bound between earlier ids and later ones."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def moment_of(uuid7: UUID) -> datetime:
    """Return the millisecond in which the id was made, in UTC."""
    return EPOCH + timedelta(milliseconds=uuid7.int >> 80)
