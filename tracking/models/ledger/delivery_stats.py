"""Delivery statistics of integrations: results over a range, the backlog, and the latency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking import db
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.integrations.by_token import rows_of_integrations
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: Retrying deliveries are counted up to this number.
MANY = 10_000
#: Deliveries in a percentile; days to look back; and outcomes of any kind to read for them: where
#: all are skipped or fail, there may be millions.
SAMPLE, SAMPLE_DAYS, REACH = 500, 7, 5_000

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Retrying deliveries, MANY meaning that or more, and since when the oldest is queued."""

    retrying: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from queueing to delivery, of the latest deliveries. A hit is queued when it arrives;
    a replay or a backfill queues it later."""

    p50: float
    p95: float


def count_by_result(ids: Sequence[int], since: datetime) -> Mapping[int, Mapping[str, int]]:
    """Return the results of each integration's hits that arrived since then."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    with db.read_cursor() as cursor:
        cursor.execute(SQL["results"], {"ids": list(ids), "since": since})
        for integration_id, kind, count in cursor.fetchall():
            found[integration_id][kind] = count
    return found


def result_series(
    ids: Sequence[int], since: datetime, width: timedelta, parts: int
) -> Mapping[int, list[tuple[int, int]]]:
    """Return for each integration the delivered and the dead of the hits that arrived in each part
    of that width, the first of which begins at `since`."""
    found = {pk: [(0, 0)] * parts for pk in ids}
    parameters: dict[str, Any] = {
        "ids": list(ids),
        "since": since,
        "width": width.total_seconds(),
    }
    with db.read_cursor() as cursor:
        cursor.execute(SQL["result_series"], parameters)
        for integration_id, kind, part, count in cursor.fetchall():
            place = min(part, parts - 1)
            delivered, dead = found[integration_id][place]
            more = (count, 0) if kind == "delivered" else (0, count)
            found[integration_id][place] = (delivered + more[0], dead + more[1])
    return found


def count_waiting(ids: Sequence[int]) -> Mapping[int, Waiting]:
    """Return the backlog of each integration, at the same cost for 10 and 10 million rows."""
    retrying = QueuedDelivery.objects.retrying(ids, limit=MANY)
    oldest = QueuedDelivery.objects.oldest_by_integration(ids)
    return {pk: Waiting(retrying.get(pk, 0), oldest.get(pk)) for pk in ids}


def measure_latency(ids: Sequence[int]) -> Mapping[int, Latency]:
    """Return the latency of each integration's latest deliveries, without integrations that have
    none."""
    since = first_uuid7(datetime.now(UTC) - timedelta(days=SAMPLE_DAYS))
    bounds: dict[str, Any] = {"since": since, "reach": REACH, "limit": SAMPLE}
    with db.read_cursor() as cursor:
        rows = rows_of_integrations(
            cursor, SQL, "latency", ids, lambda some: {"ids": some, **bounds}
        )
        return {integration_id: Latency(*both) for integration_id, both in rows}
