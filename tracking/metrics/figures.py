"""The metrics: counts, backlogs and states, read from Postgres at a bounded cost.

The counts are the ledger's totals. Everything else is read by an index for each integration, and
counted up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tracking import db
from tracking.health import database, heartbeats
from tracking.health.probe import NoAnswerError
from tracking.models import Alert, Integration, QueuedDelivery, Token
from tracking.models.alerts.rule import AlertKind
from tracking.models.hits import partitions
from tracking.models.integrations.pause import Cause
from tracking.models.upkeep import disk
from tracking.sql import load

#: Retrying deliveries are counted up to this number.
LIMIT = 10_000
SQL = load(__file__)
HIT_RESULTS = ("accepted", "duplicate", "refused", "noted")
#: Counters that only grow. Dead letters do not: a replay takes them back.
RESULTS = ("matched", "delivered", "skipped", "cancelled")
INTEGRATION = ("token", "integration")


class Names:
    """The labels of tokens and integrations. A deleted one keeps its counts under its id, since
    another may have its name by now."""

    def __init__(self) -> None:
        self.tokens = {
            token.pk: f"{token.name} (deleted {token.pk})" if token.deleted_at else token.name
            for token in Token.objects.only("name", "deleted_at")
        }
        self.integrations = {
            each.pk: f"{each.name} (deleted {each.pk})" if each.deleted_at else each.name
            for each in Integration.objects.only("name", "deleted_at")
        }

    def token(self, pk: int) -> str:
        return self.tokens.get(pk, "")

    def of(self, each: Integration) -> list[str]:
        return [self.token(each.token_id), self.integrations[each.pk]]


def figures() -> Iterator[Metric]:
    """Yield every metric. Raises django.db.Error."""
    names = Names()
    yield from counts(names)
    yield from states(names)
    yield from alerts()
    yield from system()


def counts(names: Names) -> Iterator[Metric]:
    hits = CounterMetricFamily(
        "hitstream_hits",
        "Hits by result; a duplicate and a noted hit are accepted, too.",
        labels=("token", "result", "reason"),
    )
    ended = CounterMetricFamily(
        "hitstream_deliveries",
        "Deliveries by result; each one is also matched.",
        labels=(*INTEGRATION, "result"),
    )
    dead = GaugeMetricFamily("hitstream_dead_letters", "Dead letters.", labels=INTEGRATION)
    queued = GaugeMetricFamily("hitstream_queued", "Queued deliveries.", labels=INTEGRATION)
    sums: dict[tuple[int, int], dict[str, int]] = {}
    with db.read_cursor() as cursor:
        cursor.execute(SQL["counts"])
        for token_id, integration_id, kind, reason, count in cursor.fetchall():
            if not integration_id and kind in HIT_RESULTS:
                hits.add_metric([names.token(token_id), kind, reason], count)
            elif integration_id:
                known = sums.setdefault((token_id, integration_id), {})
                known[kind] = known.get(kind, 0) + count
    for (token_id, integration_id), of in sums.items():
        labels = [names.token(token_id), names.integrations.get(integration_id, "")]
        for kind in RESULTS:
            ended.add_metric([*labels, kind], of.get(kind, 0))
        dead.add_metric(labels, of.get("dead", 0))
        settled = sum(of.get(kind, 0) for kind in ("delivered", "skipped", "cancelled", "dead"))
        queued.add_metric(labels, of.get("matched", 0) - settled)
    yield from (hits, ended, dead, queued)


def states(names: Names) -> Iterator[Metric]:
    retrying = GaugeMetricFamily(
        "hitstream_retrying",
        f"Deliveries whose last attempt failed and that are queued, counted up to {LIMIT}.",
        labels=INTEGRATION,
    )
    oldest = GaugeMetricFamily(
        "hitstream_oldest_queued_seconds",
        "Age of the oldest queued delivery; 0 without one.",
        labels=INTEGRATION,
    )
    paused = GaugeMetricFamily(
        "hitstream_paused", "1 if paused for this cause.", labels=(*INTEGRATION, "cause")
    )
    failures = GaugeMetricFamily(
        "hitstream_consecutive_failures",
        "Requests that failed since the last successful one.",
        labels=INTEGRATION,
    )
    present = list(Integration.objects.present())
    ids = [each.pk for each in present]
    tried, since = (
        QueuedDelivery.objects.retrying(ids, limit=LIMIT),
        QueuedDelivery.objects.oldest_by_integration(ids),
    )
    now = timezone.now()
    for each in present:
        labels = names.of(each)
        retrying.add_metric(labels, tried.get(each.pk, 0))
        age = (now - since[each.pk]).total_seconds() if each.pk in since else 0.0
        oldest.add_metric(labels, max(0.0, age))
        failures.add_metric(labels, each.consecutive_failures)
        for cause in Cause:
            held = each.paused_at is not None and each.paused_cause == cause
            paused.add_metric([*labels, cause.value], float(held))
    yield from (retrying, oldest, paused, failures)


def alerts() -> Iterator[Metric]:
    found = GaugeMetricFamily("hitstream_alerts_open", "Open alerts.", labels=("kind",))
    open_ = Alert.objects.open().order_by().values_list("rule__kind").annotate(Count("pk"))
    counted = dict(open_)
    for kind in AlertKind:
        found.add_metric([kind.value], counted.get(kind.value, 0))
    yield found


def system() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "hitstream_partitions_ahead_days",
        "Days ahead for which partitions exist.",
        value=partitions.days_ahead(),
    )
    heartbeat = GaugeMetricFamily(
        "hitstream_heartbeat_age_seconds", "Seconds since the last heartbeat.", labels=("process",)
    )
    for name, age in sorted(heartbeats.ages(timezone.now()).items()):
        heartbeat.add_metric([name], age)
    yield heartbeat
    try:
        found = database.postgres.answer()
    except (NoAnswerError, psycopg.Error):
        return
    yield GaugeMetricFamily("hitstream_database_bytes", "Size of the database.", value=found.size)
    yield GaugeMetricFamily(
        "hitstream_database_connections", "Clients of Postgres.", value=found.connections
    )
    space = disk.measure()
    if space.size is not None and space.free is not None:
        yield GaugeMetricFamily("hitstream_disk_free_bytes", "Free space.", value=space.free)
        yield GaugeMetricFamily("hitstream_disk_bytes", "The disk's size.", value=space.size)
