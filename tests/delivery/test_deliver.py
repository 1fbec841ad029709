"""From an queued delivery to a vendor's answer, over a real wire and a real queue."""

import json
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from standardwebhooks import Webhook

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import Answer, Vendor, open_vendor, reply
from tracking.delivery.due import due
from tracking.delivery.engine import engine
from tracking.delivery.lease import Leases
from tracking.delivery.retry import delay
from tracking.delivery.roster import SLOTS
from tracking.delivery.scan_bounds import scan_bounds
from tracking.destinations.vendors.webhook.destination import Webhook as Webhook_
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
from tracking.models.deliveries.settle import Settlement, settle
from tracking.models.hits import partitions

Rule = Callable[[Any], Answer]


def refuse(vendor: Vendor, rule: Rule) -> None:
    """The vendor answers by what it was sent last."""

    def answer(connection: socket.socket) -> None:
        rule(vendor.received[-1].json["data"])(connection)

    vendor.answer = answer


def post(send: Send, count: int = 1) -> None:
    for number in range(count):
        assert send(hit(hitId=f"h{number}")).status_code == 204


def make_due() -> None:
    QueuedDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    scan_bounds.clear()


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_a_hit_arrives_signed(send: Send, token: Token, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    post(send)
    assert due() == [integration.pk]
    engine.run()
    received = vendor.received[0]
    Webhook(integration.secrets.open()["signing_secret"]).verify(received.body, received.headers)
    stored = Hit.objects.get()
    assert received.headers["webhook-id"] == str(stored.pk)
    assert received.json["data"]["payload"] == stored.payload
    assert states() == ["delivered"]
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.hits, attempt.code) == (200, 1, "")
    assert attempt.duration > 0
    assert due() == []


def test_nothing_is_sent_twice(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url)
    post(send, 20)
    engine.run()
    engine.run()
    assert len({received.headers["webhook-id"] for received in vendor.received}) == 20
    assert len(vendor.received) == 20


def test_hits_go_out_in_batches(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 8})
    post(send, 20)
    engine.run()
    assert sorted(len(received.json["data"]) for received in vendor.received) == [4, 8, 8]
    assert states() == ["delivered"] * 20


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_later(
    send: Send, token: Token, vendor: Vendor, status: int
) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = reply(status, b"not now")
    post(send)
    engine.run()
    queued = QueuedDelivery.objects.get()
    assert (queued.attempts, queued.claims) == (1, 0)
    assert timezone.now() <= queued.due_at <= timezone.now() + timedelta(seconds=30)
    assert states() == ["retrying"]
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body) == (status, "not now")
    vendor.answer = reply()
    make_due()
    engine.run()
    assert states() == ["delivered"]
    results = Outcome.objects.order_by("attempt_id").values_list("result", flat=True)
    assert list(results) == ["failed", "delivered"]


def test_retry_after_is_honoured(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = reply(429, Retry_After="500")
    post(send)
    engine.run()
    assert QueuedDelivery.objects.get().due_at > timezone.now() + timedelta(seconds=490)


def test_an_unreachable_vendor_is_tried_again_later(send: Send, token: Token) -> None:
    with open_vendor(reply()) as gone:
        add_webhook(token, gone.url)
    post(send)
    engine.run()
    assert states() == ["retrying"]
    assert "failed" in Attempt.objects.get().message


def test_the_last_attempt_ends_in_a_dead_letter(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url, max_attempts=3)
    vendor.answer = reply(500, b"broken")
    post(send)
    for _ in range(5):
        make_due()
        engine.run()
    assert len(vendor.received) == 3
    letter = DeadLetter.objects.get()
    assert (letter.code, letter.attempts) == ("attempts_exhausted", 3)
    assert "broken" in letter.message
    assert not QueuedDelivery.objects.exists()


def test_a_dead_letter_is_replayed(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = reply(400, b"no")
    post(send, 3)
    engine.run()
    assert states() == ["dead"] * 3
    vendor.answer = reply()
    assert DeadLetter.objects.all().replay() == 3
    engine.run()
    assert states() == ["delivered"] * 3
    assert not DeadLetter.objects.exists()


def test_a_poison_event_is_found_and_its_neighbours_arrive(
    send: Send, token: Token, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 100})
    poison = {"h7", "h41"}
    refuse(
        vendor,
        lambda data: (
            reply(400, b"I do not like it")
            if poison & {event["hitId"] for event in data}
            else reply()
        ),
    )
    post(send, 50)
    engine.run()
    dead = {Hit.objects.get(pk=letter.hit_id).hit_id for letter in DeadLetter.objects.all()}
    assert dead == poison
    assert states() == ["dead"] * 2 + ["delivered"] * 48
    assert "I do not like it" in DeadLetter.objects.first().message  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_configuration_pauses_and_keeps_the_backlog(
    send: Send, token: Token, vendor: Vendor, status: int
) -> None:
    integration = add_webhook(token, vendor.url)
    vendor.answer = reply(status, b"who are you", Location="http://elsewhere/")
    post(send, 30)
    engine.run()
    integration.refresh_from_db()
    assert integration.paused_at is not None
    assert integration.paused_by == "hitstream"
    assert str(status) in integration.paused_reason
    assert (
        QueuedDelivery.objects.filter(attempts=0, claims=0, due_at__lte=timezone.now()).count()
        == 30
    )
    assert due() == []
    vendor.answer = reply()
    integration.resume()
    scan_bounds.clear()
    engine.run()
    assert states() == ["delivered"] * 30


def test_a_lost_key_pauses_with_its_reason(
    send: Send, token: Token, vendor: Vendor, settings: Any
) -> None:
    integration = add_webhook(token, vendor.url)
    post(send)
    settings.HITSTREAM = {**settings.HITSTREAM, "SECRET_KEYS": ("A" * 43 + "=",)}
    engine.run()
    integration.refresh_from_db()
    assert "HITSTREAM_SECRET_KEYS" in integration.paused_reason
    assert QueuedDelivery.objects.count() == 1


def test_paused_while_it_runs_stops_it(send: Send, token: Token, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url, config={"batch_size": 1})
    post(send, 200)

    def pause(connection: socket.socket) -> None:
        if not vendor.stopped.is_set() and len(vendor.received) == 5:
            Integration.objects.filter(pk=integration.pk).update(paused_at=timezone.now())
        # Slower from then on: a busy machine notices the pause before the last hit, too.
        time.sleep(0.02 if len(vendor.received) < 5 else 0.2)
        reply()(connection)

    vendor.answer = pause
    engine.run()
    assert QueuedDelivery.objects.count() > 0
    assert len(vendor.received) + QueuedDelivery.objects.count() == 200


def test_a_worker_without_a_slot_delivers_nothing(send: Send, token: Token, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    post(send)
    other, slots = Leases(uuid4()), {(integration.pk, slot) for slot in range(SLOTS)}
    assert other.take(slots) == slots
    engine.run()
    assert vendor.received == []
    other.leave(slots)
    engine.run()
    assert len(vendor.received) == 1


def test_a_lost_lease_is_due_again_by_itself(send: Send, token: Token, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    post(send, 3)
    claims = QueuedDelivery.objects.claim(integration, limit=10, lease=0.05)
    assert len(claims) == 3
    assert QueuedDelivery.objects.claim(integration, limit=10, lease=60) == []
    QueuedDelivery.objects.update(due_at=F("due_at") - timedelta(seconds=1))
    engine.run()
    assert states() == ["delivered"] * 3


def test_two_lost_leases_send_hits_alone(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 100})
    post(send, 4)
    QueuedDelivery.objects.update(claims=2)
    engine.run()
    assert [len(received.json["data"]) for received in vendor.received] == [1, 1, 1, 1]


def test_a_hit_that_kills_workers_becomes_a_dead_letter(
    send: Send, token: Token, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    post(send)
    QueuedDelivery.objects.update(claims=5)
    engine.run()
    assert vendor.received == []
    letter = DeadLetter.objects.get()
    assert letter.code == "worker_killed"
    assert DeadLetter.objects.all().replay() == 1
    engine.run()
    assert states() == ["delivered"]


def test_a_lease_that_was_taken_over_is_not_postponed(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    post(send)
    (claim,) = QueuedDelivery.objects.claim(integration, limit=1, lease=60)
    taken_over = claim.leased_until + timedelta(seconds=60)
    QueuedDelivery.objects.update(due_at=taken_over)
    failed = Settlement(
        hit_id=claim.hit_id,
        leased_until=claim.leased_until,
        result="failed",
        attempts=1,
        attempt_id=claim.hit_id,
        wait=0.0,
    )
    settle(integration, [failed], [])
    assert (QueuedDelivery.objects.get().due_at, QueuedDelivery.objects.get().attempts) == (
        taken_over,
        0,
    )


def test_a_hit_that_is_gone_becomes_a_dead_letter(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url)
    post(send)
    Hit.objects.all().delete()
    engine.run()
    assert states() == ["dead"]
    assert DeadLetter.objects.get().code == "hit_missing"


def test_secrets_are_masked_in_attempts(send: Send, token: Token, vendor: Vendor) -> None:
    add_webhook(token, vendor.url, config={"headers": "X-Key: very-secret-key"})
    vendor.answer = reply(400, b"you said very-secret-key")
    post(send)
    engine.run()
    assert vendor.received[0].headers["x-key"] == "very-secret-key"
    kept = json.dumps(list(Attempt.objects.values()), default=str)
    assert "very-secret-key" not in kept
    assert "very-secret-key" not in DeadLetter.objects.get().message


def test_suspects_have_their_turn_beside_fresh_hits(
    send: Send, token: Token, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url)
    post(send, 5)
    old = timezone.now() - timedelta(minutes=10)
    QueuedDelivery.objects.update(claims=2, due_at=old)
    scan_bounds.raise_to(integration.pk, timezone.now())
    scan_bounds.get("claim", integration.pk)
    assert due() == [integration.pk]
    send(hit(hitId="fresh"))
    engine.run()
    assert states() == ["delivered"] * 6


@pytest.mark.parametrize("attempts", [1, 14, 60, 32_000])
def test_no_number_of_attempts_waits_for_ever(attempts: int) -> None:
    assert 0 <= delay(attempts, None, 30.0) <= 3 * 86_400
    assert delay(attempts, 10**9, 30.0) <= 3 * 86_400


def test_what_waits_after_a_setup_error_is_given_back(
    send: Send, token: Token, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    post(send, 5)
    engine.run()
    before = len(vendor.received)
    vendor.answer = reply(401)
    for number in range(100):
        send(hit(hitId=f"later{number}"))
    engine.run()
    assert len(vendor.received) - before == 1, "nothing more after the first"
    assert QueuedDelivery.objects.filter(claims=0, due_at__lte=timezone.now()).count() == 100


def test_an_event_that_breaks_our_own_code_is_found(
    send: Send, token: Token, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 50}, max_attempts=1)
    post(send, 20)
    sound = Webhook_.request

    def request(self: Webhook_, events: Any) -> Any:
        if any(event.hit_id == "h7" for event in events):
            raise ZeroDivisionError("a bug")
        return sound(self, events)

    monkeypatch.setattr(Webhook_, "request", request)
    engine.run()
    assert states() == ["dead"] + ["delivered"] * 19
    assert DeadLetter.objects.get().hit_id == Hit.objects.get(hit_id="h7").pk


def test_a_pause_by_hand_is_not_overwritten(send: Send, token: Token, vendor: Vendor) -> None:
    integration = add_webhook(token, vendor.url)
    post(send)

    def pause(peer: socket.socket) -> None:
        Integration.objects.get().pause(reason="legal hold", by="anna")
        reply(401)(peer)

    vendor.answer = pause
    engine.run()
    integration.refresh_from_db()
    assert (integration.paused_by, integration.paused_reason) == ("anna", "legal hold")


def test_a_mended_integration_is_not_paused_for_what_it_was(
    send: Send, token: Token, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    post(send)

    def mend(peer: socket.socket) -> None:
        mended = Integration.objects.get()
        mended.config = {**mended.config, "url": "http://127.0.0.1:9/mended"}
        mended.save()
        reply(401)(peer)

    vendor.answer = mend
    engine.run()
    assert Integration.objects.running().count() == 1


def test_missing_leaves_are_made_when_an_outcome_needs_them(
    send: Send, token: Token, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    post(send)
    with connection.cursor() as cursor:
        cursor.execute(
            partitions.SQL["partitions"], {"tables": ["hitstream_outcome", "hitstream_attempt"]}
        )
        for (leaf,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {leaf}")
    engine.run()
    assert states() == ["delivered"]
    assert len(vendor.received) == Attempt.objects.count() == 1
