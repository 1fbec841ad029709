"""Each part in a sentence that says what to do."""

from typing import Any

import pytest

from tracking.health import broker, overview
from tracking.health.database import Postgres, of_clock, of_connections
from tracking.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> dict[str, tuple[bool, str]]:
    broker.broker.forget()
    overview.stored.forget()
    return {part.name: (part.is_good, part.said) for part in overview.components()}


def postgres(**changes: Any) -> Postgres:
    fine: dict[str, Any] = {"version": "18", "seconds": 0.01, "skew": 0.0, "connections": 5}
    return Postgres(**{**fine, "max_connections": 100, "size": 1, **changes})


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
    said = "run `celery -A project worker`, or `manage.py sweep --deliver` from cron."
    assert parts["Worker"] == (False, f"The worker was never seen: {said}")
    assert parts["Partitions"][1].startswith("Created only 1 day ahead: run Celery beat")
    assert parts["Disk"][1].startswith("0.0 of 0.0 GB are free (0%)")
    assert parts["Disk"][1].endswith("keep hits for fewer days (HIT_DAYS).")


def test_a_crowded_postgres_and_a_wrong_clock() -> None:
    assert of_connections(postgres()).is_good
    assert not of_connections(postgres(connections=90)).is_good
    assert of_clock(postgres(skew=4)).is_good
    assert of_clock(postgres(skew=7)).said.startswith("7 s behind Postgres's")
    assert of_clock(postgres(skew=-7)).said.startswith("7 s ahead of Postgres's")
