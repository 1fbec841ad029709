"""What is old enough is dropped, and what is needed is not."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tracking.ingest.write.connection import connect
from tracking.models import DeadLetter, Hit, QueuedDelivery, Token
from tracking.models.hits.partitions import Partition
from tracking.models.upkeep import retention

OLD = (datetime.now(UTC) - timedelta(days=10)).date()
LEAVES = [
    Partition(parent, OLD) for parent in ("hitstream_hit", "hitstream_outcome", "hitstream_attempt")
]


@pytest.fixture
def old_hit(token: Token, settings: Any) -> Any:
    """A hit of ten days ago, with retention five days."""
    settings.HITSTREAM = {**settings.HITSTREAM, "HIT_DAYS": 5, "ATTEMPT_DAYS": 5}
    with connection.cursor() as cursor:
        for leaf in LEAVES:
            for statement in leaf.statements():
                cursor.execute(statement)
    now = datetime.now(UTC)
    yield Hit.objects.create(
        **dict.fromkeys(("type", "name", "user_id", "anonymous_id", "email_hash"), ""),
        **dict.fromkeys(("sent_at", "received_at", "occurred_at"), now),
        id=LEAVES[0].bounds[0],
        token=token,
        revision=1,
        hit_id="old",
        user_agent="",
        payload={},
    )
    with connection.cursor() as cursor:
        for leaf in LEAVES:
            cursor.execute(f"DROP TABLE IF EXISTS {leaf.name}")


def test_days_past_retention_are_dropped(old_hit: Hit, send: Send) -> None:
    send(hit())
    assert sorted(retention.prune().dropped) == sorted(leaf.name for leaf in LEAVES)
    assert [stored.hit_id != "old" for stored in Hit.objects.all()] == [True]
    assert retention.prune().dropped == []


def test_nothing_is_dropped_by_default(old_hit: Hit, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "HIT_DAYS": None, "ATTEMPT_DAYS": None}
    assert retention.prune().dropped == []
    assert Hit.objects.count() == 1


def test_owed_hits_and_dead_letters_keep_their_day(old_hit: Hit, token: Token) -> None:
    integration = add_webhook(token, name="Orders")
    queued = QueuedDelivery.objects.create(
        token_id=integration.token_id,
        integration=integration,
        hit_id=old_hit.pk,
        due_at=datetime.now(UTC),
    )
    kept = retention.prune().kept
    assert kept["hitstream_hit_" + f"{OLD:%Y%m%d}"] == "hits are queued to Orders (shop)"
    queued.delete()
    letter = DeadLetter.objects.create(
        token_id=integration.token_id,
        integration=integration,
        hit_id=old_hit.pk,
        attempts=1,
        attempt_id=old_hit.pk,
        code="permanent",
        message="no",
    )
    assert "dead letters of Orders (shop)" in "".join(retention.prune().kept.values())
    assert Hit.objects.count() == 1
    letter.delete()
    assert retention.prune().kept == {}
    assert not Hit.objects.exists()


def test_a_reader_delays_the_drop_and_nobody_else(old_hit: Hit, send: Send) -> None:
    with connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM hitstream_hit")
        started = time.monotonic()
        pruned = retention.prune()
        assert set(pruned.kept) == {LEAVES[0].name}
        assert send(hit()).status_code == 204
        assert time.monotonic() - started < 15
    assert retention.prune().dropped == [LEAVES[0].name]
    assert [stored.hit_id != "old" for stored in Hit.objects.all()] == [True]
