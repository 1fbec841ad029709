"""Deleting: what was queued is cancelled and on record, what was stored stays, names are free."""

from typing import Any

import pytest

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tests.support.operations import let_die, post, replay, work
from tracking.ingest.auth.authentication import tokens
from tracking.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Hit,
    Integration,
    Outcome,
    QueuedDelivery,
    Token,
)
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.settle import Settlement, settle
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.delete import delete_integration, delete_token

pytestmark = pytest.mark.usefixtures("no_lag")


def test_what_an_integration_was_owed_is_cancelled(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "dead")
    post(send, "A", "B", "C")
    assert Cancel(integration, Criteria()).preview().count == 3
    operation = delete_integration(integration, by="anna")
    assert operation.total == 3
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("finished", 3)
    assert not QueuedDelivery.objects.exists()
    outcomes = Outcome.objects.filter(result="cancelled")
    assert set(outcomes.values_list("reason", flat=True)) == {"Webhook was deleted by anna."}
    assert counts(integration) == {"matched": 4, "dead": 1, "cancelled": 3}
    assert_exact(integration)


def test_the_record_of_a_deleted_integration_is_kept(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "dead")
    delete_integration(integration, by="anna")
    work()
    integration.refresh_from_db()
    assert (integration.enabled, integration.draining) == (False, False)
    assert str(integration) == "Webhook (deleted) (shop)"
    assert [Hit.objects.count(), DeadLetter.objects.count(), Attempt.objects.count()] == [1, 1, 1]
    assert Delivery.objects.get().integration == integration
    assert not Integration.objects.present().exists()
    last = token.revisions.latest("number")
    assert last.made_by == "anna"
    assert last.snapshot["integrations"][str(integration.pk)]["deleted"] is True


def test_a_deleted_ones_name_can_be_used_again(send: Send, token: Token) -> None:
    delete_integration(add_webhook(token), by="anna")
    again = add_webhook(token)
    post(send, "A")
    assert QueuedDelivery.objects.get().integration == again
    delete_token(token, by="anna")
    assert Token.objects.issue("shop")[0] != token


def test_nothing_more_is_owed_to_a_deleted_one(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    delete_integration(integration, by="anna")
    post(send, "A")
    assert not QueuedDelivery.objects.exists()
    assert not Integration.objects.running().exists()


def test_dead_letters_of_a_deleted_one_are_not_replayed(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "dead")
    delete_integration(integration, by="anna")
    replay(integration)
    work()
    assert (DeadLetter.objects.all().replay(), DeadLetter.objects.count()) == (0, 1)
    assert_exact(integration)


def test_hits_under_a_live_lease_are_left_to_their_worker(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    post(send, "A", "B", "C")
    claims = QueuedDelivery.objects.claim(integration, limit=2, lease=1.0)
    operation = delete_integration(integration, by="anna")
    assert operation.step()
    operation.refresh_from_db()
    assert (operation.state, operation.done, QueuedDelivery.objects.count()) == ("running", 1, 2)
    entry = Settlement(
        hit_id=claims[0].hit_id,
        leased_until=claims[0].leased_until,
        result="delivered",
        attempts=1,
        attempt_id=claims[0].hit_id,
    )
    settle(integration, [entry], [])
    assert work()[-1] == 2
    assert counts(integration) == {"matched": 3, "delivered": 1, "cancelled": 2}
    assert_exact(integration)


def test_what_was_being_stored_meanwhile_is_cancelled_too(
    send: Send, token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 1.5}
    integration = add_webhook(token)
    operation = delete_integration(integration, by="anna")
    assert operation.step()
    Integration.objects.update(enabled=True)
    post(send, "late")
    Integration.objects.update(enabled=False)
    work()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("finished", 1)
    assert_exact(integration)


def test_a_stopped_cancelling_can_go_on(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    post(send, "A", "B", "C")
    operation = delete_integration(integration, by="anna", rate=2)
    assert operation.step()
    operation.stop("ben")
    assert (work(), QueuedDelivery.objects.count()) == ([], 1)
    operation.go_on()
    assert work()[-1] == 3
    assert_exact(integration)


def test_a_deleted_token_is_revoked_and_its_integrations_are_deleted(
    send: Send, token: Token
) -> None:
    integrations = [add_webhook(token, name=name) for name in ("One", "Two")]
    post(send, "A")
    operations = delete_token(token, by="anna")
    assert [operation.total for operation in operations] == [1, 1]
    work()
    token.refresh_from_db()
    assert (str(token), token.is_usable) == ("shop (deleted)", False)
    assert (Hit.objects.count(), QueuedDelivery.objects.count()) == (1, 0)
    assert "The token shop was deleted by anna." in Outcome.objects.all()[0].reason
    for integration in integrations:
        assert_exact(integration)
    assert not Token.objects.present().exists()
    tokens.clear()
    assert send(hit()).status_code == 401


def test_a_drained_one_is_sent_what_it_was_owed(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    post(send, "A")
    integration.drain(by="anna")
    post(send, "B")
    assert QueuedDelivery.objects.count() == 1
    assert Integration.objects.running().count() == 1
    integration.enabled = True
    integration.save()
    integration.refresh_from_db()
    assert integration.draining is False


def test_resuming_may_set_the_rate(token: Token) -> None:
    integration = add_webhook(token)
    integration.pause(reason="too fast", by="anna")
    integration.resume(by="anna", rate_limit=5)
    integration.refresh_from_db()
    assert (integration.paused_at, integration.rate_limit) == (None, 5)
