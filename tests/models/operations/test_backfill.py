"""Backfill: past hits are queued to an integration that has no record of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tests.support.operations import backfill, let_die, post, work
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.destinations.vendors.google_analytics.own_parameters import NOT_PLAIN
from tracking.models import Hit, Integration, Operation, QueuedDelivery, Token
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations import backfill as module
from tracking.models.operations.backfill import Backfill
from tracking.models.operations.delete import delete_integration

pytestmark = pytest.mark.usefixtures("no_lag")


def names_owed(integration: Integration) -> list[str]:
    hit_ids = QueuedDelivery.objects.filter(integration=integration).values_list(
        "hit_id", flat=True
    )
    return sorted(Hit.objects.filter(pk__in=list(hit_ids)).values_list("name", flat=True))


def test_past_hits_are_owed_to_a_new_integration(send: Send, token: Token) -> None:
    post(send, "A", "B", "C")
    integration = add_webhook(token)
    preview = Backfill(integration, Criteria()).preview()
    assert (preview.count, len(preview.sample), preview.note) == (3, 3, "")
    assert '"name":"A"' in preview.sample[0].request_body
    assert preview.oldest is not None
    assert preview.newest is not None
    assert preview.oldest <= preview.newest <= timezone.now()
    operation = backfill(integration)
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.total) == ("finished", 3, 3)
    assert counts(integration) == {"matched": 3}
    assert_exact(integration)
    with open_vendor(reply()) as vendor:
        Integration.objects.update(config={**integration.config, "url": vendor.url})
        engine.run()
        assert len(vendor.received) == 3
    assert_exact(integration)


def test_hits_that_it_has_any_record_of_are_left_out(send: Send, token: Token) -> None:
    with open_vendor(reply()) as vendor:
        integration = add_webhook(token, vendor.url)
        post(send, "delivered")
        engine.run()
    let_die(send, integration, "dead")
    post(send, "queued")
    Integration.objects.update(enabled=False)
    post(send, "missed", "missed too")
    assert Backfill(integration, Criteria()).preview().count == 2
    backfill(integration)
    work()
    assert names_owed(integration) == ["missed", "missed too", "queued"]
    assert_exact(integration)
    assert backfill(integration).total == 0
    work()
    assert QueuedDelivery.objects.count() == 3


def test_cancelled_and_skipped_hits_are_left_out(
    send: Send, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token)
    monkeypatch.setattr(integration.destination_class, "skip", lambda self, event: "of no use")
    post(send, "skipped")
    engine.run()
    delete_integration(add_webhook(token, name="Other"), by="anna")
    assert Backfill(integration, Criteria()).preview().count == 0
    assert_exact(integration)
    post(send, "new")
    QueuedDelivery.objects.all().delete()
    assert "Skipped: of no use" in Backfill(integration, Criteria()).preview().note


def test_only_what_it_wants_is_owed(send: Send, token: Token) -> None:
    post(send, "A", "B")
    post(send, "A", integrations={"All": False, "Orders": {"list": 7}})
    post(send, "A", integrations={"orders": False})
    post(send, "A", integrations={"Webhook": False})
    integration = add_webhook(token, name="Orders", event_names=["A"])
    assert Backfill(integration, Criteria()).preview().count == 2
    backfill(integration)
    work()
    assert names_owed(integration) == ["A", "A"]
    for queued in QueuedDelivery.objects.all():
        found = Hit.objects.get(pk=queued.hit_id)
        assert integration.wants(found.name, found.payload.get("integrations") or {})
    assert_exact(integration)


def test_only_the_range_and_the_event_are_owed(send: Send, token: Token) -> None:
    post(send, "early")
    began = timezone.now()
    post(send, "A", "B")
    ended = timezone.now() + timedelta(milliseconds=1)
    integration = add_webhook(token)
    assert backfill(integration, until=began).total == 1
    assert backfill(integration, since=ended).total == 0
    backfill(integration, since=began, until=ended, event="B")
    assert Backfill(integration, Criteria(until=began)).preview().count == 1
    work()
    assert names_owed(integration) == ["B", "early"]
    assert_exact(integration)


def test_hits_of_other_tokens_are_not_touched(send: Send, token: Token) -> None:
    post(send, "A")
    other, _ = Token.objects.issue("other")
    integration = add_webhook(other)
    assert backfill(integration).total == 0
    work()
    assert not QueuedDelivery.objects.exists()


def test_hits_after_the_asking_are_owed_once(send: Send, token: Token) -> None:
    post(send, "A")
    integration = add_webhook(token)
    operation = backfill(integration)
    post(send, "B")
    work()
    operation.refresh_from_db()
    assert (operation.done, names_owed(integration)) == (1, ["A", "B"])
    assert_exact(integration)


def test_the_youngest_hits_have_to_wait(send: Send, token: Token, settings: Any) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 1.0}
    post(send, "A")
    integration = add_webhook(token)
    operation = backfill(integration)
    assert operation.step()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("running", 0)
    assert work()[-1] == 1
    assert_exact(integration)


def test_in_each_users_order_they_have_a_lane_and_a_place(send: Send, token: Token) -> None:
    post(send, "A", "B", "C")
    integration = add_webhook(token, ordered=True)
    backfill(integration)
    work()
    assert QueuedDelivery.objects.values("ordering_key").distinct().count() == 1
    assert QueuedDelivery.objects.filter(ordering_key=None).count() == 0
    in_order = list(QueuedDelivery.objects.order_by("seq").values_list("hit_id", flat=True))
    assert in_order == sorted(in_order)
    post(send, "D")
    assert QueuedDelivery.objects.values("ordering_key").distinct().count() == 1


def test_chunks_have_a_bound_and_a_rate(
    send: Send, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 3)
    post(send, *"ABCDEFG")
    integration = add_webhook(token)
    operation = backfill(integration, rate=2)
    began = timezone.now()
    told = work()
    assert all(later - earlier <= 2 for earlier, later in zip([0, *told], told, strict=False))
    assert told[-1] == 7
    operation.refresh_from_db()
    assert operation.ended_at is not None
    assert (operation.ended_at - began).total_seconds() >= 3.0
    assert_exact(integration)


def test_a_stopped_one_goes_on_where_it_was(send: Send, token: Token) -> None:
    post(send, *"ABC")
    integration = add_webhook(token)
    operation = backfill(integration, rate=1)
    assert operation.step()
    operation.stop("anna")
    assert work() == []
    assert names_owed(integration) == ["A"]
    operation.go_on()
    Operation.objects.update(rate=None)
    assert work()[-1] == 3
    assert_exact(integration)


def test_two_at_a_time_owe_each_hit_once(send: Send, token: Token) -> None:
    post(send, *"ABC")
    integration = add_webhook(token)
    backfill(integration)
    backfill(integration)
    work()
    assert counts(integration) == {"matched": 3}
    assert_exact(integration)


def test_nothing_is_owed_to_a_deleted_one(send: Send, token: Token) -> None:
    post(send, *"ABC")
    integration = add_webhook(token)
    operation = backfill(integration)
    delete_integration(integration, by="anna")
    operation.refresh_from_db()
    assert operation.state == "stopped"
    operation.go_on()
    work()
    assert not QueuedDelivery.objects.exists()
    assert_exact(integration)


def test_the_preview_says_what_a_vendor_does_not_get(send: Send, token: Token) -> None:
    """The sentence is the rule's: it holds nothing of the sender's."""
    event = {"name": "Danced", "secret-list": ["sender's own"], "user": {"userId": "u1"}}
    send({"hitId": "h1", "event": event})
    config = {"measurement_id": "G-ABC123", "region": "eu"}
    integration = Integration(token=token, name="GA", destination="google-analytics", config=config)
    integration.secrets = {"api_secret": "s"}
    integration.save()
    preview = Backfill(integration, Criteria()).preview()
    assert len(preview.sample) == 1
    assert preview.note == f"A value is left out: {NOT_PLAIN.reason}"
