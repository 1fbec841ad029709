"""Replay: dead letters are due again, each once, and counted as dead no more."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tests.support.operations import let_die, post, replay, work
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.models import DeadLetter, Hit, Integration, Operation, QueuedDelivery, Token
from tracking.models.deliveries import dead_letter
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations import base
from tracking.models.operations.replay import Replay


def names_owed() -> list[str]:
    hit_ids = QueuedDelivery.objects.values_list("hit_id", flat=True)
    return sorted(Hit.objects.filter(pk__in=list(hit_ids)).values_list("name", flat=True))


def test_a_replay_says_first_what_it_will_do(send: Send, integration: Integration) -> None:
    let_die(send, integration, "A", "B", "C", "D")
    preview = Replay(integration, Criteria()).preview()
    assert (preview.count, len(preview.sample), preview.note) == (4, 3, "")
    assert preview.oldest is not None
    assert preview.newest is not None
    assert preview.oldest < preview.newest <= timezone.now()
    request = preview.sample[0]
    assert (request.method, '"name":"A"' in request.request_body) == ("POST", True)
    assert "very-secret-key" not in str(preview)
    assert request.request_headers["X-Key"] == "••••"
    assert DeadLetter.objects.count() == 4


def test_a_preview_says_what_stands_in_its_way(
    send: Send, integration: Integration, settings: Any
) -> None:
    let_die(send, integration, "A")
    Hit.objects.all().delete()
    assert "not stored any more" in Replay(integration, Criteria()).preview().note
    settings.HITSTREAM = {**settings.HITSTREAM, "SECRET_KEYS": ("A" * 43 + "=",)}
    preview = Replay(integration, Criteria()).preview()
    assert (preview.count, preview.sample) == (1, ())
    assert "HITSTREAM_SECRET_KEYS" in preview.note


def test_replayed_letters_are_due_and_counted_no_more(send: Send, integration: Integration) -> None:
    let_die(send, integration, "A", "B", "C")
    assert_exact(integration)
    operation = replay(integration)
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.total) == ("finished", 3, 3)
    assert operation.ended_at is not None
    assert (counts(integration)["dead"], QueuedDelivery.objects.count()) == (0, 3)
    assert_exact(integration)
    with open_vendor(reply()) as vendor:
        Integration.objects.update(config={**integration.config, "url": vendor.url})
        engine.run()
        assert len(vendor.received) == 3
    assert_exact(integration)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"event": "A"}, ["A"]),
        ({"event": "nothing"}, []),
        ({"code": "permanent"}, ["A", "B"]),
        ({"code": "too_old"}, []),
        ({"message": "NO SUCH"}, ["A", "B"]),
        ({"message": "other"}, []),
        ({"since": timezone.now() + timedelta(hours=1)}, []),
        ({"until": timezone.now() + timedelta(hours=1)}, ["A", "B"]),
        ({"until": timezone.now() - timedelta(hours=1)}, []),
    ],
)
def test_only_what_the_criteria_mean_is_replayed(
    send: Send, integration: Integration, criteria: dict[str, Any], expected: list[str]
) -> None:
    let_die(send, integration, "A", "B")
    assert Replay(integration, Criteria(**criteria)).preview().count == len(expected)
    assert replay(integration, **criteria).total == len(expected)
    work()
    assert names_owed() == expected
    assert_exact(integration)


def test_only_the_integrations_own_letters_are_replayed(
    send: Send, token: Token, integration: Integration
) -> None:
    let_die(send, integration, "A")
    Integration.objects.update(enabled=False)
    other = add_webhook(token, name="Other")
    let_die(send, other, "B")
    before = counts(integration)
    replay(other)
    work()
    assert set(QueuedDelivery.objects.values_list("integration", flat=True)) == {other.pk}
    assert counts(integration) == before


def test_letters_that_die_after_the_asking_are_not_meant(
    send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A", "B")
    operation = replay(integration)
    let_die(send, integration, "C")
    work()
    operation.refresh_from_db()
    assert (operation.done, names_owed()) == (2, ["A", "B"])
    let_die(send, integration)
    assert DeadLetter.objects.count() == 3, "died again, and not replayed for ever"
    assert work() == []


def test_a_letter_whose_hit_is_owed_is_not_counted_twice(
    send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A", "B")
    first = DeadLetter.objects.earliest("pk")
    QueuedDelivery.objects.create(
        hit_id=first.hit_id,
        token_id=integration.token_id,
        integration=integration,
        due_at=timezone.now(),
    )
    assert DeadLetter.objects.all().replay() == 1
    assert DeadLetter.objects.get() == first
    assert counts(integration)["dead"] == 1


def test_a_queryset_replays_in_chunks(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter, "REPLAY_CHUNK", 2)
    let_die(send, integration, "A", "B", "C", "D", "E")
    assert DeadLetter.objects.filter(code="permanent").replay() == 5
    assert DeadLetter.objects.all().replay() == 0
    assert_exact(integration)


def test_in_each_users_order_the_lane_is_kept(send: Send, token: Token) -> None:
    integration = add_webhook(token, name="Ordered", ordered=True)
    post(send, "A", "B")
    ordering_keys = list(QueuedDelivery.objects.values_list("ordering_key", flat=True))
    QueuedDelivery.objects.all().delete()
    for hit in Hit.objects.order_by("-pk"):
        DeadLetter.objects.create(
            token_id=integration.token_id,
            integration=integration,
            hit_id=hit.pk,
            code="permanent",
            message="",
            attempts=1,
            attempt_id=hit.pk,
        )
    DeadLetter.objects.all().replay()
    assert list(QueuedDelivery.objects.values_list("ordering_key", flat=True)) == ordering_keys
    assert [*QueuedDelivery.objects.order_by("seq").values_list("hit_id", flat=True)] == [
        *Hit.objects.order_by("pk").values_list("pk", flat=True)
    ]


def test_a_chunk_has_a_bound_and_progress(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.models.operations.operation.CHUNK", 2)
    let_die(send, integration, "A", "B", "C", "D", "E")
    replay(integration)
    assert work() == [2, 4, 5]
    assert base.CHUNK == 1000


def test_a_rate_is_kept(send: Send, integration: Integration) -> None:
    let_die(send, integration, "A", "B", "C", "D", "E")
    operation = replay(integration, rate=2)
    began = timezone.now()
    assert work() == [2, 4, 5]
    operation.refresh_from_db()
    assert operation.ended_at is not None
    assert (operation.ended_at - began).total_seconds() >= 2.0


def test_a_stopped_one_stops_between_chunks_and_can_go_on(
    send: Send, integration: Integration
) -> None:
    let_die(send, integration, "A", "B", "C")
    operation = replay(integration, rate=1)
    assert operation.step()
    operation.stop("anna")
    assert not operation.step()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("stopped", 1)
    assert operation.message == "Stopped by anna."
    assert work() == []
    assert (QueuedDelivery.objects.count(), DeadLetter.objects.count()) == (1, 2)
    assert_exact(integration)
    operation.go_on()
    Operation.objects.update(rate=None)
    assert work() == [3]
    assert_exact(integration)


def test_a_step_that_fails_changes_nothing_and_says_why(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_die(send, integration, "A", "B")
    operation = replay(integration)
    sound = Operation.take

    def die(self: Operation, step: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Operation, "take", die)
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.message) == ("failed", "a bug")
    assert (DeadLetter.objects.count(), QueuedDelivery.objects.count()) == (2, 0)
    assert_exact(integration)
    monkeypatch.setattr(Operation, "take", sound)
    operation.go_on()
    assert work() == [2]


def test_a_killed_worker_leaves_nothing_half_done(
    send: Send, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.models.operations.operation.CHUNK", 1)
    let_die(send, integration, "A", "B", "C")
    operation = replay(integration)
    operation.step()
    sound = Operation.save

    def killed(self: Operation, *args: Any, **kwargs: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(Operation, "save", killed)
    with pytest.raises(SystemExit):
        operation.step()
    monkeypatch.setattr(Operation, "save", sound)
    assert (DeadLetter.objects.count(), QueuedDelivery.objects.count()) == (2, 1)
    assert Operation.objects.neglected(0.0).exists()
    assert work()[-1] == 3
    assert_exact(integration)
