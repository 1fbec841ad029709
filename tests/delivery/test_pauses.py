"""Pauses that come and go by themselves: wrong configurations, destinations down or busy."""

import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.delivery.conftest import Storing
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.vendor import Received, Vendor, open_vendor, reply, stall
from tracking.conf import conf
from tracking.delivery.engine import engine
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Integration,
    Lease,
    QueuedDelivery,
    Token,
)


def hits(count: int, prefix: str = "h") -> list[tuple[str, str]]:
    return [(f"{prefix}{number}", f"u{number}") for number in range(count)]


def probe_now() -> None:
    Integration.objects.update(probe_at=timezone.now() - timedelta(seconds=1))


def next_probe() -> float:
    """Seconds from now."""
    probe_at = Integration.objects.get().probe_at
    assert probe_at is not None
    return (probe_at - timezone.now()).total_seconds()


def delivered() -> int:
    return Delivery.objects.filter(state="delivered").count()


def test_a_refused_credential_pauses_after_the_first_request_and_loses_nothing(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url, config={"headers": "Authorization: wrong"})

    def judge(received: Received, connection: socket.socket) -> None:
        right = received.headers["authorization"] == "right"
        reply(200 if right else 401, b"who are you?")(connection)

    vendor.judge = judge
    stored(hits(500))
    engine.run()
    assert len(vendor.received) == 1
    integration.refresh_from_db()
    assert (integration.paused_cause, integration.paused_by) == ("setup", "hitstream")
    assert "who are you?" in integration.paused_reason
    assert QueuedDelivery.objects.filter(attempts=0).count() == 500
    engine.run()
    assert len(vendor.received) == 1, "nothing before the probe's time"

    form = integration.destination_class.Config(
        {"url": vendor.url, "headers": "Authorization: right"}, stored=["signing_secret"]
    )
    assert form.is_valid(), form.errors
    integration.configure(form)
    integration.save()
    engine.run()
    assert delivered() == 500
    integration.refresh_from_db()
    assert (integration.paused_at, integration.paused_cause) == (None, "")
    assert discrepancies() == []


def test_a_wrong_configuration_is_probed_with_one_request_at_growing_gaps(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = reply(403)
    stored(hits(50))
    engine.run()
    gaps = [next_probe()]
    for probes in range(2, 9):
        probe_now()
        engine.run()
        assert len(vendor.received) == probes
        gaps.append(next_probe())
    assert [round(gap, -1) for gap in gaps] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    vendor.answer = reply()
    probe_now()
    engine.run()
    assert delivered() == 50
    assert Integration.objects.get().paused_at is None


def test_a_destination_that_is_down_is_left_alone_and_its_backlog_keeps_its_attempts(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, concurrency=4)
    vendor.answer = reply(500, b"broken")
    stored(hits(300))
    engine.run()
    tried = len(vendor.received)
    assert conf.BREAKER_FAILURES <= tried <= conf.BREAKER_FAILURES + 4
    integration = Integration.objects.get()
    assert integration.paused_cause == "down"
    assert "broken" in integration.paused_reason
    assert 0 < next_probe() <= 5
    assert QueuedDelivery.objects.filter(attempts=0).count() == 300 - tried
    probe_now()
    engine.run()
    assert len(vendor.received) == tried + 1
    assert 5 < next_probe() <= 10
    vendor.answer = reply()
    probe_now()
    QueuedDelivery.objects.update(due_at=timezone.now())
    engine.run()
    assert delivered() == 300


def test_a_dead_letter_is_a_sign_of_life(token: Token, stored: Storing, vendor: Vendor) -> None:
    add_webhook(token, vendor.url)
    Integration.objects.update(
        paused_at=timezone.now(),
        paused_by="hitstream",
        paused_cause="down",
        probe_at=timezone.now(),
    )
    vendor.judge = lambda received, connection: reply(
        400 if received.json["data"]["hitId"] == "h0" else 200
    )(connection)
    stored(hits(5))
    engine.run()
    assert delivered() == 4
    assert Integration.objects.get().paused_at is None


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_to_wait_is_not_called_earlier(
    token: Token, stored: Storing, vendor: Vendor, status: int
) -> None:
    add_webhook(token, vendor.url, retry_base=0.01)
    calls: list[float] = []

    def judge(received: Received, connection: socket.socket) -> None:
        calls.append(time.monotonic())
        (reply(status, Retry_After="2") if len(calls) == 1 else reply())(connection)

    vendor.judge = judge
    stored(hits(20))
    engine.run()
    assert Integration.objects.get().paused_cause == "busy"
    stored(hits(20, "later"))
    ends = time.monotonic() + 10
    while QueuedDelivery.objects.exists() and time.monotonic() < ends:
        engine.run()
        time.sleep(0.05)
    assert len(calls) == 41
    assert calls[1] - calls[0] >= 2.0
    assert calls[1] - calls[0] < 4.0


def test_a_pause_that_is_over_goes_on_in_full(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = reply(429, Retry_After="1")
    stored(hits(1))
    engine.run()
    vendor.answer = reply()
    time.sleep(1.1)
    stored(hits(100, "later"))
    engine.run()
    assert delivered() >= 100
    assert Integration.objects.get().paused_cause == ""


def test_a_lone_failing_hit_does_not_open_the_breaker_for_ever(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, max_attempts=100, retry_base=60)
    vendor.judge = lambda received, connection: reply(
        500 if received.json["data"]["hitId"] == "h0" else 200
    )(connection)
    stored(hits(1))
    for _ in range(conf.BREAKER_FAILURES + 1):
        QueuedDelivery.objects.update(due_at=timezone.now())
        engine.run()
    stored(hits(50, "fine"))
    for _ in range(3):
        probe_now()
        engine.run()
    assert delivered() == 50


def test_a_destination_that_cannot_be_made_is_paused_and_others_are_sent_to(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Webhook.__init__

    def fail(self: Webhook, config: Any) -> None:
        if "broken" in config["url"]:
            raise KeyError("a secret")
        sound(self, config)

    monkeypatch.setattr(Webhook, "__init__", fail)
    broken = add_webhook(token, "http://127.0.0.1:9/broken", name="Broken")
    add_webhook(token, vendor.url, name="Sound")
    stored(hits(20))
    for _ in range(3):
        engine.run()
    assert delivered() == 20
    broken.refresh_from_db()
    assert broken.paused_reason == "Its own code failed: KeyError in fail."
    assert QueuedDelivery.objects.filter(integration=broken, claims=0).count() == 20
    assert not Lease.objects.filter(expires_at__gt=timezone.now()).exists()


def test_one_hit_that_is_refused_like_a_wrong_credential_becomes_a_dead_letter(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, max_attempts=3, retry_base=0.001)
    vendor.judge = lambda received, connection: reply(
        403 if received.json["data"]["hitId"] == "h3" else 200
    )(connection)
    stored(hits(10))
    others = 9
    for number in range(40):
        probe_now()
        engine.run()
        if DeadLetter.objects.exists():
            break
        # Alone it could also mean that the credential is wrong.
        stored(hits(1, f"another{number}"))
        others += 1
        time.sleep(0.1)
    assert DeadLetter.objects.get().code == "attempts_exhausted"
    probe_now()
    engine.run()
    assert delivered() == others
    assert Integration.objects.running().count() == 1


def test_one_hit_that_is_refused_like_a_wrong_credential_holds_up_no_other(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    vendor.judge = lambda received, connection: reply(
        403 if received.json["data"]["hitId"].startswith("bad") else 200
    )(connection)
    stored(hits(1, "bad"))
    engine.run()
    assert Integration.objects.running().count() == 0
    stored(hits(1, "good"))
    for _ in range(2):
        probe_now()
        engine.run()
    assert delivered() == 1


def test_twenty_destinations_that_hang_delay_nobody_else(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    vendor.answer = stall
    for number in range(20):
        add_webhook(token, vendor.url, name=f"Hangs {number}", config={"timeout": 1})
    with open_vendor(reply()) as healthy:
        add_webhook(token, healthy.url, name="Healthy")
        stored(hits(100))
        began = time.monotonic()
        arrived: list[float] = []

        def judge(received: Received, connection: socket.socket) -> None:
            arrived.append(time.monotonic() - began)
            reply()(connection)

        healthy.judge = judge
        engine.run()
    assert len(arrived) == 100
    assert max(arrived) < 2
    assert Attempt.objects.filter(status=None, code="retryable").exists()
