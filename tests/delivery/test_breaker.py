"""Failures in a row: counted for the integration, whatever run of whatever worker sees them."""

import socket
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.delivery.conftest import Storing
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor, reply
from tracking.conf import conf
from tracking.delivery.engine import Engine, engine
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.models import Attempt, Delivery, Integration, Outcome, QueuedDelivery, Token
from tracking.models.explain.hit_history import hit_history
from tracking.models.hits.hit import Hit
from tracking.models.operations.resume import resume


def delivered() -> int:
    return Delivery.objects.filter(state="delivered").count()


def probe_now() -> None:
    Integration.objects.update(probe_at=timezone.now() - timedelta(seconds=1))


def version_of(integration: Integration) -> str:
    """The transaction that wrote its row last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xmin::text FROM hitstream_integration WHERE id = %s", [integration.pk]
        )
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("ordered", [False, True])
def test_one_failed_request_a_run_opens_the_breaker_all_the_same(
    token: Token, stored: Storing, vendor: Vendor, ordered: bool
) -> None:
    integration = add_webhook(token, vendor.url, ordered=ordered)
    vendor.answer = reply(500, b"broken")
    began = timezone.now()
    for number in range(conf.BREAKER_FAILURES + 5):
        stored([(f"h{number}", f"u{number}")])
        # Each run is a worker of its own.
        Engine().run()
        integration.refresh_from_db()
        count = min(number + 1, conf.BREAKER_FAILURES)
        assert integration.consecutive_failures == count == len(vendor.received)
        assert integration.is_failing == (number >= 1)
        assert (integration.paused_at is not None) == (count == conf.BREAKER_FAILURES)
    assert integration.failure_cause == "HTTP 500"
    assert integration.failing_since is not None
    assert integration.paused_at is not None
    assert began < integration.failing_since < integration.paused_at
    assert integration.paused_cause == "down"
    words = "10 requests in a row failed, the last with: The destination answered 500: broken"
    assert integration.paused_reason == integration.failure_text == words


def test_who_is_well_is_never_written(token: Token, stored: Storing, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    version = version_of(integration)
    for number in range(3):
        stored([(f"h{number}", "u")])
        engine.run()
    assert delivered() == 3
    assert version_of(integration) == version


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_ends_the_failures(
    token: Token, stored: Storing, vendor: Vendor, status: int
) -> None:
    integration = add_webhook(token, vendor.url, retry_base=3600)
    vendor.answer = reply(502)
    for number in range(3):
        stored([(f"h{number}", "u")])
        engine.run()
    integration.refresh_from_db()
    assert integration.consecutive_failures == 3
    vendor.answer = reply(status)
    stored([("answered", "u")])
    engine.run()
    integration.refresh_from_db()
    assert (integration.consecutive_failures, integration.failing_since) == (0, None)
    assert not integration.is_failing


def test_who_asks_to_wait_is_not_failing(token: Token, stored: Storing, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    vendor.answer = reply(429, Retry_After="60")
    for number in range(3):
        stored([(f"h{number}", "u")])
        probe_now()
        engine.run()
    integration.refresh_from_db()
    assert (integration.paused_cause, integration.consecutive_failures) == ("busy", 0)


def test_a_destination_whose_own_code_fails_is_failing(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deliver(self: Webhook, events: object, client: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(Webhook, "deliver", deliver)
    integration = add_webhook(token, vendor.url)
    for number in range(conf.BREAKER_FAILURES):
        stored([(f"h{number}", "u")])
        engine.run()
    integration.refresh_from_db()
    assert integration.paused_cause == "down"
    assert integration.failure_cause == "Destination failed"
    assert QueuedDelivery.objects.count() == conf.BREAKER_FAILURES


def test_a_destination_that_works_again_gets_what_failed_at_once(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url, retry_base=3600)
    vendor.answer = reply(500)
    for number in range(conf.BREAKER_FAILURES + 5):
        stored([(f"h{number}", f"u{number}")])
        engine.run()
    assert QueuedDelivery.objects.filter(attempts=1).count() == conf.BREAKER_FAILURES
    vendor.answer = reply()
    probe_now()
    engine.run()
    assert delivered() == conf.BREAKER_FAILURES + 5
    assert QueuedDelivery.objects.count() == 0
    integration.refresh_from_db()
    assert (integration.paused_at, integration.consecutive_failures) == (None, 0)


def test_a_resume_makes_due_what_failed_and_counts_from_zero(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url, retry_base=3600)
    vendor.answer = reply(500)
    for number in range(conf.BREAKER_FAILURES):
        stored([(f"h{number}", f"u{number}")])
        engine.run()
    integration.refresh_from_db()
    resume(integration, by="anna")
    integration.refresh_from_db()
    assert (integration.paused_at, integration.consecutive_failures) == (None, 0)
    vendor.answer = reply()
    engine.run()
    assert delivered() == conf.BREAKER_FAILURES


def test_a_destination_that_fails_gets_no_burst(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, concurrency=20)
    stored([(f"h{number}", f"u{number}") for number in range(200)])
    engine.run()
    assert len(vendor.received) == 200
    vendor.received.clear()

    def fail(connection: socket.socket) -> None:
        time.sleep(0.02)
        reply(500)(connection)

    vendor.answer = fail
    stored([(f"later{number}", f"u{number}") for number in range(200)])
    engine.run()
    assert len(vendor.received) == conf.BREAKER_FAILURES


def test_the_request_that_a_wrong_configuration_answers_stands_in_the_hits_history(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url)
    vendor.answer = reply(401, b"who are you?")
    stored([("h0", "u")])
    engine.run()
    hit = Hit.objects.get()
    (entry,) = hit_history(hit).timeline
    assert entry.attempt is not None
    assert (entry.attempt.status, entry.outcome.result) == (401, "failed")
    assert QueuedDelivery.objects.get().attempts == 0, "it does not count as one of the hit's"
    vendor.answer = reply()
    Integration.objects.filter(pk=integration.pk).probe()
    engine.run()
    history = hit_history(hit).timeline
    assert [each.outcome.result for each in history] == ["failed", "delivered"]


def test_an_attempt_tells_how_many_hits_it_did_not_deliver(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    answers = iter([reply(500), reply(400), reply()])
    vendor.answer = lambda connection: next(answers)(connection)
    stored([(f"h{number}", "u") for number in range(3)])
    engine.run()
    counts = Attempt.objects.order_by("id").values_list("status", "hits", "failed_hits")
    assert [*counts] == [(500, 1, 1), (400, 1, 1), (200, 1, 0)]
    assert Outcome.objects.count() == 3
