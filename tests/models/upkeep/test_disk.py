"""The room that everything takes, and until when there is some."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Self

import pytest
from django.db import connection
from django.test import override_settings

from tests.support.hits import Send, hit
from tracking.conf import conf
from tracking.models.upkeep.disk import drops_of, full_on, growth_of, measure

TODAY = date(2026, 3, 10)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_without_retention_it_fills_up_at_the_pace_of_the_last_days() -> None:
    assert full_on(1000, 100, {}, TODAY) == date(2026, 3, 20)
    assert full_on(1000, 0, {}, TODAY) is None


def test_what_retention_gives_back_counts() -> None:
    tables = {"hitstream_attempt": {ago(n): 100 for n in range(1, 31)}}
    with override_settings(HITSTREAM={"ATTEMPT_DAYS": 30}):
        drops = drops_of(tables, {"hitstream_attempt": 100}, TODAY)
    # A day in, a day out.
    assert min(day for day, size in drops.items() if size) == TODAY + timedelta(days=1)
    assert full_on(1000, 100, drops, TODAY) is None
    with override_settings(HITSTREAM={"ATTEMPT_DAYS": 60}):
        drops = drops_of(tables, {"hitstream_attempt": 100}, TODAY)
    assert full_on(1000, 100, drops, TODAY) == TODAY + timedelta(days=10)


def test_the_growth_is_that_of_whole_days() -> None:
    assert growth_of({ago(1): 300, ago(2): 100, ago(9): 9000, TODAY: 5}, TODAY) == 200
    assert growth_of({TODAY: 5_000_000}, TODAY) == 0


@pytest.mark.django_db(transaction=True)
def test_it_is_measured_where_postgres_is(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:  # Deleted rows of other tests still take their room.
        cursor.execute("TRUNCATE hitstream_hit, hitstream_outcome, hitstream_attempt")
    for number in range(50):
        send(hit(hitId=f"h{number}", context={"pad": "x" * 20_000}))
    disk = measure()
    assert disk.used > 1_000_000
    assert disk.free is not None
    assert (disk.growth, disk.full_on) == (None, None), "no forecast from a part of a day"
    monkeypatch.setattr("tracking.models.upkeep.disk.datetime", Tomorrow)
    grown = measure().growth
    assert grown is not None
    assert grown > 50_000
    with override_settings(HITSTREAM={**conf.given(), "DISK_BYTES": disk.used + grown * 3}):
        tight = measure()
    assert tight.days_left in {2, 3, 4}


class Tomorrow(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=1)
