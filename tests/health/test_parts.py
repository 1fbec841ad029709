"""Each part in a sentence that says what to do."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from tests.support.pgbouncer import of_a_session
from tests.support.waiting import wait_until
from tracking import tasks
from tracking.delivery.engine import engine
from tracking.health import broker, overview
from tracking.health.database import Postgres, of_clock, of_connections
from tracking.models import Heartbeat, NodeSpool

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> dict[str, tuple[bool, str]]:
    broker.broker.forget()
    overview.stored.forget()
    return {part.name: (part.is_good, str(part.said)) for part in overview.components()}


def postgres(**changes: Any) -> Postgres:
    fine: dict[str, Any] = {
        "version": "18",
        "pooled": False,
        "seconds": 0.01,
        "skew": 0.0,
        "connections": 5,
    }
    return Postgres(**{**fine, "max_connections": 100, "size": 1, **changes})


@of_a_session
def test_all_parts_are_there() -> None:
    for name in ("worker", "beat"):
        Heartbeat.objects.beat(name)
    parts = found()
    assert [*parts] == [
        *("Postgres", "Connections", "Clock", "Migrations", "Partitions", "Worker", "Beat"),
        *("Disk", "Broker"),
    ]
    assert {name for name, (good, _) in parts.items() if not good} <= {"Disk"}


def test_a_part_that_is_missing_says_what_to_do(settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "DISK_BYTES": 1, "PARTITION_DAYS_AHEAD": 30}
    parts = found()
    said = "The worker was never seen: run `hitstream worker` or your Celery worker, or "
    assert parts["Worker"] == (False, f"{said}`manage.py sweep --deliver` from cron.")
    assert parts["Partitions"][1].startswith("Created only 1 day ahead: run Celery beat")
    assert parts["Disk"][1].startswith("0.0 of 0.0 GB are free (0%)")
    assert parts["Disk"][1].endswith("keep hits for fewer days (HIT_DAYS).")


def test_each_node_with_a_spool_is_a_part() -> None:
    now = timezone.now()
    row: dict[str, Any] = {"limit_bytes": 1024**3, "reported_at": now}
    NodeSpool.objects.create(node="a", bytes=0, hits=0, **row)
    NodeSpool.objects.create(
        node="b", bytes=5 * 1024**2, hits=1200, oldest_at=now - timedelta(minutes=2), **row
    )
    NodeSpool.objects.create(node="full", bytes=1024**3, hits=9, oldest_at=now, **row)
    long_ago = now - timedelta(days=2)
    NodeSpool.objects.create(node="gone", bytes=0, hits=0, **{**row, "reported_at": long_ago})
    parts = found()
    assert parts["Spool a"] == (True, "Empty, of 1,024 MB.")
    good, said = parts["Spool b"]
    assert not good
    assert said.startswith("1,200 hits, 5.0 of 1,024 MB, the oldest of 20")
    assert not parts["Spool full"][0]
    assert "Spool gone" not in parts


def test_a_crowded_postgres_and_a_wrong_clock() -> None:
    assert of_connections(postgres()).is_good
    assert not of_connections(postgres(connections=90)).is_good
    assert of_clock(postgres(skew=4)).is_good
    assert of_clock(postgres(skew=7)).said.startswith("7 s behind Postgres's")
    assert of_clock(postgres(skew=-7)).said.startswith("7 s ahead of Postgres's")


def test_each_worker_that_fell_silent_is_named_beside_one_that_works() -> None:
    for name in ("worker", "beat", "worker a@one", "worker b@two", "worker c@three"):
        Heartbeat.objects.beat(name)
    parts = found()
    assert parts["Worker"][0]
    assert parts["Worker"][1].startswith("3 workers. Last heartbeat ")
    Heartbeat.objects.filter(name="worker b@two").update(
        beat_at=timezone.now() - timedelta(minutes=2)
    )
    parts = found()
    assert parts["Worker b@two"] == (
        False,
        "The worker b@two was seen last 2 min ago: start it again, or wait an hour.",
    )
    assert parts["Worker"][1].startswith("2 workers.")
    Heartbeat.objects.filter(name="worker b@two").update(
        beat_at=timezone.now() - timedelta(minutes=61)
    )
    assert "Worker b@two" not in found()


def test_a_worker_beats_under_its_name_until_it_stops() -> None:
    tasks.begin(sender=SimpleNamespace(hostname="a@one"))
    try:
        wait_until(lambda: "worker a@one" in Heartbeat.objects.seen(), within=10)
    finally:
        tasks.finish()
    try:
        wait_until(lambda: "worker a@one" not in Heartbeat.objects.seen(), within=10)
    finally:
        engine.stopping.clear()
    assert "worker a@one" not in Heartbeat.objects.seen()
