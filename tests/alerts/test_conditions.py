"""What each kind of rule finds, and what it lets pass."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.rounds import a_round, pass_minutes, rule
from tracking.models import (
    Alert,
    AlertRule,
    Attempt,
    DeadLetter,
    Heartbeat,
    Integration,
    Ledger,
    NodeSpool,
    QueuedDelivery,
    Token,
)
from tracking.models.alerts.rule import MAX_ROWS
from tracking.models.integrations.pause import Cause
from tracking.models.upkeep import disk
from tracking.uuid7 import first_uuid7


def found() -> list[str]:
    """What is open after a round."""
    a_round()
    return [alert.message for alert in Alert.objects.open()]


@pytest.fixture
def old(token: Token) -> Token:
    """The token, issued long ago."""
    Token.objects.filter(pk=token.pk).update(created_at=timezone.now() - timedelta(days=30))
    token.refresh_from_db()
    return token


def sent_before(token: Token, *, days: int, hours: int = 0) -> None:
    """It sent hits at this hour, and so many hours before, on each of the last days."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    Ledger.objects.bulk_create(
        Ledger(quarter_hour=hour - timedelta(days=n), token_id=token.pk, kind="accepted", count=9)
        for n in range(1, days + 1)
    )


def attempt(
    integration: Integration,
    hits: int,
    *,
    failed: int = 0,
    code: str | None = None,
    ago: timedelta = timedelta(),
) -> None:
    """A request of so many hits, of which so many were not delivered."""
    made_at = timezone.now() - ago
    Attempt.objects.create(
        id=UUID(int=first_uuid7(made_at).int + Attempt.objects.count()),
        token_id=integration.token_id,
        integration=integration,
        made_at=made_at,
        hits=hits,
        failed_hits=failed,
        code=code or ("retryable" if failed == hits else ""),
        duration=0.1,
    )


def enqueue(
    integration: Integration,
    at: datetime,
    *,
    attempts: int = 0,
    number: int = 1,
    received_at: datetime | None = None,
) -> None:
    first = first_uuid7(received_at or at)
    QueuedDelivery.objects.bulk_create(
        QueuedDelivery(
            token_id=integration.token_id,
            integration=integration,
            hit_id=UUID(int=first.int + place),
            due_at=at,
            queued_at=at,
            attempts=attempts,
        )
        for place in range(number)
    )


def add_dead_letters(integration: Integration, number: int, ago: timedelta = timedelta()) -> None:
    DeadLetter.objects.bulk_create(
        DeadLetter(
            token_id=integration.token_id,
            integration=integration,
            hit_id=uuid4(),
            failed_at=timezone.now() - ago,
            code="permanent",
            message="No",
            attempts=1,
            attempt_id=uuid4(),
        )
        for _ in range(number)
    )


def test_a_token_that_usually_sends_at_this_hour_and_does_not(old: Token) -> None:
    rule("source", minutes=30)
    assert found() == []
    sent_before(old, days=3)
    assert found() == []
    Ledger.objects.all().delete()
    sent_before(old, days=7, hours=12)
    assert found() == []
    Ledger.objects.all().delete()
    sent_before(old, days=4)
    (message,) = found()
    assert message.startswith("shop sent no hit in the last 30 minutes, though it usually does")


def test_a_hit_is_enough(old: Token, send: Send) -> None:
    rule("source", minutes=30)
    sent_before(old, days=7)
    assert send(hit()).status_code == 204
    assert found() == []


def test_a_token_that_a_rule_names_shall_always_send(old: Token, send: Send) -> None:
    rule("source", minutes=30, token=old, calm=0)
    assert len(found()) == 1
    send(hit())
    assert found() == []


def test_a_token_that_is_new_or_may_not_send_is_let_alone(token: Token) -> None:
    rule("source", minutes=30, token=token)
    assert found() == []
    Token.objects.filter(pk=token.pk).update(
        created_at=timezone.now() - timedelta(days=1), enabled=False
    )
    assert found() == []


def test_attempts_that_fail(integration: Integration) -> None:
    rule("rate", threshold=90, minutes=10, calm=0)
    attempt(integration, 18)
    attempt(integration, 1, failed=1)
    assert found() == []  # So few tries give no rate.
    attempt(integration, 9, failed=9)
    (message,) = found()
    text = "64.3% of 28 attempts of the last 10 minutes delivered their hit."
    assert message == f"Orders (shop): {text}"
    attempt(integration, 100)
    assert found() == []


def test_what_was_tried_before_counts_for_nothing(integration: Integration) -> None:
    rule("rate", threshold=90, minutes=10)
    attempt(integration, 500, ago=timedelta(minutes=11))
    attempt(integration, 500, failed=500, ago=timedelta(minutes=11))
    assert found() == []
    # Old successes do not hide a present outage.
    attempt(integration, 30, failed=20)
    (message,) = found()
    assert "33.3% of 30 attempts" in message


def test_a_refused_batch_counts_with_its_halves(integration: Integration) -> None:
    rule("rate", threshold=90, minutes=10)
    attempt(integration, 100, failed=0, code="permanent")
    attempt(integration, 50)
    attempt(integration, 50, failed=1)
    assert found() == []


def test_failures_in_a_row_need_no_rate(integration: Integration) -> None:
    rule("rate", threshold=90, minutes=10, calm=0)
    attempt(integration, 1000)
    failing = Integration.objects.filter(pk=integration.pk)
    failing.update(consecutive_failures=4, failure_message="It answered 500: broken")
    assert found() == []
    failing.update(consecutive_failures=5)
    text = "5 requests in a row failed, the last with: It answered 500: broken"
    assert found() == [f"Orders (shop): {text}"]
    failing.update(consecutive_failures=0)
    assert found() == []


def test_a_hit_that_is_owed_for_too_long(integration: Integration) -> None:
    rule("backlog", minutes=30)
    enqueue(integration, timezone.now() - timedelta(minutes=29))
    assert found() == []
    enqueue(integration, timezone.now() - timedelta(minutes=45))
    (message,) = found()
    assert message == "Orders (shop): The oldest hit is queued for 45 minutes."


def test_the_oldest_is_found_behind_retries_that_are_due_later(integration: Integration) -> None:
    now = timezone.now()
    enqueue(integration, now, number=200)
    QueuedDelivery.objects.create(
        token_id=integration.token_id,
        integration=integration,
        hit_id=uuid4(),
        due_at=now + timedelta(hours=3),
        queued_at=now - timedelta(hours=9),
        attempts=7,
    )
    oldest = QueuedDelivery.objects.oldest_by_integration([integration.pk, integration.pk + 1])
    assert oldest == {integration.pk: now - timedelta(hours=9)}


@pytest.mark.parametrize("cause", [Cause.SETUP, Cause.DOWN])
def test_a_pause_is_told_with_its_cause_and_reason(integration: Integration, cause: Cause) -> None:
    rule("paused", minutes=5)
    Integration.objects.hold(integration, cause, "It answered 401")
    assert found() == []
    pass_minutes(6)
    assert found() == [f"Orders (shop): {cause.label}: It answered 401"]


def test_new_dead_letters(integration: Integration) -> None:
    rule("dead", threshold=2, minutes=60, calm=0)
    add_dead_letters(integration, 50, ago=timedelta(hours=2))
    add_dead_letters(integration, 2)
    assert found() == []
    add_dead_letters(integration, 1)
    (message,) = found()
    assert message.startswith("Orders (shop): 3 new dead letters in the last 60 minutes.")
    DeadLetter.objects.all().delete()
    assert found() == []


def test_a_disk_that_is_nearly_full(token: Token) -> None:
    share = disk.measure().free_share
    assert share is not None
    rule("disk", threshold=share * 100 / 2)
    assert found() == []
    rule("disk", threshold=100)
    (message,) = found()
    assert "GB are free" in message


def test_partitions_that_run_out(settings: Any, token: Token) -> None:
    rule("partitions", threshold=7)
    assert found() == []  # In the tests no more than one day is made ahead.
    settings.HITSTREAM = {**settings.HITSTREAM, "PARTITION_DAYS_AHEAD": 30}
    (message,) = found()
    assert message.startswith("Partitions lie 1 day ahead")


def test_a_worker_and_a_beat_that_nobody_saw(token: Token) -> None:
    rule("heartbeat", minutes=3)
    Heartbeat.objects.beat("worker")
    Heartbeat.objects.beat("beat")
    assert found() == []
    Heartbeat.objects.filter(name="beat").update(beat_at=timezone.now() - timedelta(minutes=7))
    (message,) = found()
    assert message.startswith("The beat was seen last 7 min ago: run `hitstream beat`")


def test_where_sweeps_do_it_all_no_worker_is_missed(token: Token) -> None:
    rule("heartbeat", minutes=3)
    assert len(found()) == 2
    Heartbeat.objects.beat("sweep")
    Alert.objects.all().delete()
    (message,) = found()
    assert message.startswith("The worker was never seen")
    Heartbeat.objects.beat("deliver")
    Alert.objects.all().delete()
    assert found() == []


def test_a_sweep_tells_that_beat_died(token: Token) -> None:
    rule("heartbeat", minutes=3)
    for name in ("worker", "beat"):
        Heartbeat.objects.beat(name)
    Heartbeat.objects.filter(name="beat").update(beat_at=timezone.now() - timedelta(minutes=9))
    call_command("sweep", stdout=StringIO())
    (alert,) = Alert.objects.open()
    assert alert.subject == "beat"


def test_a_rule_is_about_its_token_or_integration_alone(token: Token) -> None:
    other, _ = Token.objects.issue("blog")
    first, second = add_webhook(token, name="One"), add_webhook(token, name="Two")
    third = add_webhook(other, name="Three")
    for each in (first, second, third):
        each.pause()
    pass_minutes(10)
    rule("paused", minutes=5, token=token)
    rule("paused", minutes=5, integration=third)
    a_round()
    about = {(alert.integration, alert.token) for alert in Alert.objects.open()}
    assert about == {(first, token), (second, token), (third, other)}


def test_one_rule_that_fails_stops_no_other(integration: Integration) -> None:
    integration.pause()
    pass_minutes(10)
    AlertRule.objects.create(kind="nonsense")
    rule("paused", minutes=5)
    assert len(found()) == 1


def test_no_rule_waits_for_more_dead_letters_than_are_counted(transactional_db: None) -> None:
    AlertRule(kind="dead", threshold=MAX_ROWS - 1).full_clean()
    with pytest.raises(ValidationError, match="no further than to 10,000"):
        AlertRule(kind="dead", threshold=MAX_ROWS).full_clean()


def test_hits_that_wait_in_a_spool_open_an_alert_until_they_are_stored() -> None:
    rule("spool", threshold=80, minutes=1)
    now = timezone.now()
    spool = NodeSpool.objects.create(
        node="web-1", bytes=10, hits=3, oldest_at=now, limit_bytes=100, reported_at=now
    )
    assert found() == []
    NodeSpool.objects.update(oldest_at=now - timedelta(minutes=2))
    (message,) = found()
    assert message.startswith("3 hits, 0.0 of 0 MB, the oldest of")
    assert message.endswith(
        "in the spool of web-1. Look whether its web processes run and reach Postgres."
    )
    NodeSpool.objects.update(oldest_at=now, bytes=80)
    assert len(found()) == 1
    spool.delete()
    found()
    pass_minutes(11)
    assert found() == []
