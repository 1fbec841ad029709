"""In each user's order: later hits wait for the earlier ones, whatever happens to those."""

import random
import socket
import time
from collections import defaultdict

import pytest

from tests.delivery.conftest import Storing
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.vendor import Received, Vendor, reply
from tracking.delivery.engine import engine
from tracking.models import DeadLetter, Integration, QueuedDelivery, Token
from tracking.models.deliveries import queue

USERS, HITS = 50, 2_000


def deliver_all(within: float) -> None:
    ends = time.monotonic() + within
    while QueuedDelivery.objects.exists():
        assert time.monotonic() < ends, f"{QueuedDelivery.objects.count()} are still queued"
        engine.run(linger=0.2)


def users_of(vendor: Vendor) -> dict[str, list[str]]:
    """The hitIds that each user's requests carried, in the order in which they were accepted."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for received in vendor.received:
        found[received.json["data"]["userId"]].append(received.json["data"]["hitId"])
    return found


def test_every_users_hits_arrive_in_order_although_a_fifth_of_the_requests_fail(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, ordered=True, retry_base=0.02, max_attempts=100, concurrency=50)
    chance = random.Random(7)
    accepted: defaultdict[str, list[str]] = defaultdict(list)

    def judge(received: Received, connection: socket.socket) -> None:
        data = received.json["data"]
        fine = chance.random() >= 0.2
        if fine:
            accepted[data["userId"]].append(data["hitId"])
        reply(200 if fine else 503)(connection)

    vendor.judge = judge
    numbers = list(range(HITS))
    for start in range(0, HITS, 500):
        stored((f"{n:05}", f"user{n % USERS}") for n in numbers[start : start + 500])
    deliver_all(within=120)
    assert sum(map(len, accepted.values())) == HITS
    assert all(hits == sorted(hits) for hits in accepted.values())
    assert discrepancies() == []


def test_a_user_waits_behind_a_failing_hit_and_others_do_not(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, ordered=True, retry_base=60)
    vendor.judge = lambda received, connection: reply(
        503 if received.json["data"]["hitId"] == "a1" else 200
    )(connection)
    stored([("a1", "anna"), ("a2", "anna"), ("b1", "ben"), ("a3", "anna"), ("b2", "ben")])
    engine.run()
    engine.run()
    assert users_of(vendor) == {"anna": ["a1"], "ben": ["b1", "b2"]}
    assert QueuedDelivery.objects.count() == 3


def test_a_dead_letter_releases_those_behind_it(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, ordered=True)
    vendor.judge = lambda received, connection: reply(
        400 if received.json["data"]["hitId"] == "a1" else 200
    )(connection)
    stored([("a1", "anna"), ("a2", "anna"), ("a3", "anna")])
    engine.run()
    assert users_of(vendor) == {"anna": ["a1", "a2", "a3"]}
    assert DeadLetter.objects.count() == 1
    assert not QueuedDelivery.objects.exists()


def test_one_request_carries_one_hit_of_each_user(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, config={"batch_size": 100}, ordered=True)
    stored((f"{user}{n}", user) for n in range(3) for user in ("anna", "ben"))
    engine.run()
    batches = [[hit["userId"] for hit in received.json["data"]] for received in vendor.received]
    assert batches == [["anna", "ben"]] * 3


def test_a_parked_hit_whose_release_was_lost_is_due_again_by_itself(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PARKING", 0.3)
    integration = add_webhook(token, vendor.url, ordered=True)
    stored([("a1", "anna"), ("a2", "anna")])
    assert len(QueuedDelivery.objects.claim(integration, limit=9, lease=0.3, in_order=True)) == 1
    QueuedDelivery.objects.filter(claims=1).delete()
    assert not QueuedDelivery.objects.claim(integration, limit=9, lease=0.3, in_order=True)
    time.sleep(0.5)
    assert len(QueuedDelivery.objects.claim(integration, limit=9, lease=0.3, in_order=True)) == 1


def test_the_order_is_chosen_for_each_integration(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    stored([("a1", "anna")])
    assert QueuedDelivery.objects.get().ordering_key is None
    Integration.objects.update(ordered=True)
    stored([("a2", "anna"), ("b1", "ben")])
    assert (
        QueuedDelivery.objects.exclude(ordering_key=None).values("ordering_key").distinct().count()
        == 2
    )
