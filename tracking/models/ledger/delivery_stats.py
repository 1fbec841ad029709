"""How it goes with integrations: what was sent over a range, what waits, and how fast it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking import db
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: Retrying deliveries are counted up to here.
MANY = 10_000
#: The deliveries that a percentile is taken of, and how many days back they are looked for, among
#: how many ends of any kind: where all are skipped or die, there may be millions.
SAMPLE, SAMPLE_DAYS, REACH = 500, 7, 5_000

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Retrying deliveries, MANY for that or more, and since when the oldest of all is queued."""

    retrying: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from a hit's arrival to its delivery, of the latest ones."""

    p50: float
    p95: float


def count_by_result(ids: Sequence[int], since: datetime) -> Mapping[int, Mapping[str, int]]:
    """What was counted of each integration's hits that arrived since then."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    with db.read_cursor() as cursor:
        cursor.execute(SQL["results"], {"ids": list(ids), "since": since})
        for integration_id, kind, count in cursor.fetchall():
            found[integration_id][kind] = count
    return found


def count_waiting(ids: Sequence[int]) -> Mapping[int, Waiting]:
    """What waits of each integration; it costs the same with ten rows queued and ten million."""
    retrying = QueuedDelivery.objects.retrying(ids, limit=MANY)
    oldest = QueuedDelivery.objects.oldest_by_integration(ids)
    return {pk: Waiting(retrying.get(pk, 0), oldest.get(pk)) for pk in ids}


def measure_latency(ids: Sequence[int]) -> Mapping[int, Latency]:
    """How fast the last hits got to each integration; none where none did of late."""
    since = first_uuid7(datetime.now(UTC) - timedelta(days=SAMPLE_DAYS))
    bounds: dict[str, Any] = {"since": since, "reach": REACH, "limit": SAMPLE}
    with db.read_cursor() as cursor:
        cursor.execute(SQL["latency"], {"ids": list(ids), **bounds})
        return {integration_id: Latency(*both) for integration_id, both in cursor.fetchall()}
