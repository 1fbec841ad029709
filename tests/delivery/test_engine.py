"""How much at once, how fast, how long, and what is left when the worker is told to stop."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.delivery.conftest import Storing
from tests.delivery.test_pauses import delivered, hits
from tests.support.integrations import add_webhook
from tests.support.ledger import counts, discrepancies
from tests.support.vendor import Received, Vendor, reply
from tracking import tasks
from tracking.delivery import run
from tracking.delivery.engine import engine
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.events import Event, Receipt
from tracking.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Integration,
    Lease,
    QueuedDelivery,
    Token,
    Wakeup,
)


@pytest.fixture
def told_to_stop() -> Iterator[threading.Event]:
    yield engine.stopping
    engine.stopping.clear()


def test_three_poison_events_among_five_hundred_take_few_requests(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 500})
    poison = {"h3", "h250", "h499"}
    vendor.judge = lambda received, connection: reply(
        422 if poison & {hit["hitId"] for hit in received.json["data"]} else 200
    )(connection)
    stored(hits(500))
    engine.run()
    assert delivered() == 497
    assert DeadLetter.objects.count() == 3
    assert len(vendor.received) <= 60
    assert discrepancies() == []


def test_no_more_requests_at_once_than_the_integration_allows(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, concurrency=3)
    flying: list[int] = [0, 0]

    def judge(received: Received, connection: socket.socket) -> None:
        flying[0] += 1
        flying[1] = max(flying)
        time.sleep(0.01)
        flying[0] -= 1
        reply()(connection)

    vendor.judge = judge
    stored(hits(60))
    engine.run()
    assert flying[1] == 3
    assert delivered() == 60


def test_no_more_requests_a_second_than_the_integration_allows(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, rate_limit=20)
    stored(hits(30))
    began = time.monotonic()
    engine.run()
    assert delivered() == 30
    assert 1.4 < time.monotonic() - began < 8


def test_what_is_older_than_allowed_is_tried_once_and_given_up(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, max_age=3600)
    vendor.answer = reply(500)
    stored(hits(2))
    QueuedDelivery.objects.filter(hit_id=QueuedDelivery.objects.earliest("seq").hit_id).update(
        queued_at=timezone.now() - timedelta(hours=2)
    )
    engine.run()
    assert DeadLetter.objects.get().code == "too_old"
    assert QueuedDelivery.objects.count() == 1


@pytest.mark.parametrize("keep_bodies", [False, True])
def test_bodies_of_successes_are_kept_only_if_wanted(
    token: Token, stored: Storing, vendor: Vendor, keep_bodies: bool
) -> None:
    add_webhook(token, vendor.url, keep_bodies=keep_bodies)
    vendor.answer = reply(200, b"thanks")
    stored(hits(1))
    engine.run()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.duration > 0) == (200, True)
    assert ("thanks" in attempt.response_body) is keep_bodies
    assert ("h0" in attempt.request_body) is keep_bodies


def test_an_event_that_the_destination_has_no_use_for_is_skipped_with_its_reason(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = add_webhook(token, vendor.url)

    def skip(self: Webhook, event: Event) -> str:
        return "Only odd ones." if event.hit_id in {"h0", "h2"} else ""

    monkeypatch.setattr(Webhook, "skip", skip)
    stored(hits(4))
    engine.run()
    assert len(vendor.received) == 2
    skipped = Delivery.objects.filter(state="skipped")
    assert [delivery.reason for delivery in skipped] == ["Only odd ones."] * 2
    assert counts(integration) == {"matched": 4, "delivered": 2, "skipped": 2}
    assert discrepancies() == []


def test_told_to_stop_it_finishes_what_flies_and_gives_back_the_rest_at_once(
    token: Token, stored: Storing, vendor: Vendor, told_to_stop: threading.Event
) -> None:
    add_webhook(token, vendor.url, concurrency=2)

    def judge(received: Received, connection: socket.socket) -> None:
        if len(vendor.received) == 3:
            told_to_stop.set()
            time.sleep(0.5)
        reply()(connection)

    vendor.judge = judge
    stored(hits(100))
    engine.run()
    assert delivered() == len(vendor.received) < 100
    rest = QueuedDelivery.objects.filter(due_at__lte=timezone.now(), claims=0, attempts=0)
    assert rest.count() == 100 - len(vendor.received)
    assert not Lease.objects.filter(expires_at__gt=timezone.now()).exists()


def test_a_second_call_returns_at_once_and_tells_the_first_to_look_again(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    took: list[float] = []

    def judge(received: Received, connection: socket.socket) -> None:
        if len(vendor.received) == 1:
            stored(hits(1, "later"))
            began = time.monotonic()
            engine.run()
            took.append(time.monotonic() - began)
        reply()(connection)

    vendor.judge = judge
    stored(hits(1))
    engine.run()
    assert max(took) < 1
    assert delivered() == 2


def test_who_waits_for_the_last_answers_lets_another_run_begin(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RUN_SECONDS", 0.5)
    add_webhook(token, vendor.url)
    hangs = threading.Event()

    def judge(received: Received, connection: socket.socket) -> None:
        if len(vendor.received) == 1:
            hangs.wait(5)
        reply()(connection)

    vendor.judge = judge
    stored(hits(1))
    again: list[float] = []
    began = time.monotonic()

    def go_on() -> None:
        again.append(time.monotonic() - began)
        hangs.set()

    engine.run(again=go_on)
    assert 0.4 < again[0] < 2
    assert delivered() == 1


def test_it_lingers_for_hits_that_nobody_rings_for(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    stored(hits(1))

    def judge(received: Received, connection: socket.socket) -> None:
        reply()(connection)
        if len(vendor.received) == 1:
            threading.Timer(0.5, stored, [hits(1, "later")]).start()

    vendor.judge = judge
    engine.run(linger=3.0)
    assert delivered() == 2


def test_of_many_processes_one_rings_in_a_second(transactional_db: None) -> None:
    assert Wakeup.objects.claim(1.0)[0]
    for _ in range(5):
        ours, age = Wakeup.objects.claim(1.0)
        assert not ours
        assert 0 <= age < 1
    Wakeup.objects.update(woken_at=timezone.now() - timedelta(seconds=2))
    assert Wakeup.objects.claim(1.0)[0]
    Wakeup.objects.update(woken_at=timezone.now() + timedelta(hours=1))
    assert Wakeup.objects.claim(1.0)[0], "a clock that was set back silences nobody"


def test_the_task_delivers_when_called_directly(
    token: Token, stored: Storing, vendor: Vendor, settings: Any
) -> None:
    """It does not linger for the next wake-up."""
    settings.HITSTREAM = {**settings.HITSTREAM, "WAKEUP_INTERVAL": 60.0}
    add_webhook(token, vendor.url)
    stored(hits(3))
    began = time.monotonic()
    tasks.dispatch()
    assert delivered() == 3
    assert time.monotonic() - began < 30


def test_a_changed_integration_is_sent_to_as_it_is_now(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url, concurrency=1)

    def judge(received: Received, connection: socket.socket) -> None:
        if len(vendor.received) == 3:
            changed = Integration.objects.get()
            changed.config = {**changed.config, "url": vendor.url + "/moved"}
            changed.save()
        time.sleep(0.05)
        reply()(connection)

    vendor.judge = judge
    stored(hits(60))
    engine.run()
    assert delivered() == 60
    moved = [received for received in vendor.received if "/moved" in received.line]
    assert moved
    assert moved == vendor.received[-len(moved) :]
    assert integration.pk == Integration.objects.get().pk


@pytest.mark.parametrize("fault", ["skip fails", "skip says NUL", "batches leave one out", "hangs"])
def test_a_destinations_own_faults_cost_nobody_else_anything(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    add_webhook(token, vendor.url, max_attempts=1, config={"timeout": 1})

    def skip(self: Webhook, event: Event) -> str:
        if event.hit_id == "h0" and fault == "skip fails":
            raise ValueError(f"the secret is {self.config['signing_secret']}")
        return "bad \0 reason" if event.hit_id == "h0" and fault == "skip says NUL" else ""

    def batches(self: Webhook, events: Sequence[Event]) -> list[Sequence[Event]]:
        return [[event] for event in events if event.hit_id != "h0"]

    async def deliver(self: Webhook, events: Sequence[Event], client: Client) -> Receipt:
        if events[0].hit_id == "h0":
            await asyncio.sleep(3600)
        return await Destination.deliver(self, events, client)

    monkeypatch.setattr(Webhook, "skip", skip)
    if fault == "batches leave one out":
        monkeypatch.setattr(Webhook, "batches", batches)
    if fault == "hangs":
        monkeypatch.setattr(Webhook, "deliver", deliver)
    stored(hits(5))
    engine.run()
    assert not QueuedDelivery.objects.exists()
    assert delivered() == (5 if fault == "batches leave one out" else 4)
    assert discrepancies() == []
    kept = str(list(Attempt.objects.values())) + str(list(DeadLetter.objects.values()))
    assert "whsec_" not in kept
