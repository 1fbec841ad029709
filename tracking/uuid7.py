"""The time in a UUIDv7, on which a hit's partition, the ledger and the time of receipt agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What the ledger counts by. All time zones differ from UTC by whole quarters of an hour.
QUARTER = timedelta(minutes=15)


def first_uuid7(moment: datetime) -> UUID:
    """Return the least UUIDv7 of that millisecond: a bound between earlier ids and later ones."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def moment_of(uuid7: UUID) -> datetime:
    """Return the millisecond in which the id was made, in UTC."""
    return EPOCH + timedelta(milliseconds=uuid7.int >> 80)


def quarter_hour_of(moment: datetime) -> datetime:
    """Return the beginning of the quarter of an hour that the moment lies in."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
