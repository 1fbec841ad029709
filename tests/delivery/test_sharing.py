"""Workers that share: the integrations, one integration's backlog, and what it allows at once."""

import itertools
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from tests.delivery.conftest import Storing
from tests.delivery.test_pauses import delivered, hits
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.vendor import Received, Vendor, reply
from tests.support.waiting import wait_until
from tracking import db
from tracking.delivery import due, roster, run
from tracking.delivery.engine import Engine
from tracking.delivery.lease import Leases, Slot
from tracking.delivery.open_requests import OpenRequests, divide
from tracking.delivery.roster import SLOTS, Roster, concurrency_of, slots_of
from tracking.models import EngineRun, Integration, Lease, QueuedDelivery, Token
from tracking.models.deliveries.settle import Settlement, settle
from tracking.models.integrations.pause import Cause


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "ANNOUNCED_EVERY", 0.05)


@contextmanager
def workers(count: int) -> Iterator[list[Engine]]:
    """Engines that look for work until the end, each on a thread of its own."""
    engines, over = [Engine() for _ in range(count)], threading.Event()

    def work(engine: Engine) -> None:
        try:
            while not over.is_set():
                engine.run(linger=0.2)
        finally:
            db.close()

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    try:
        yield engines
    finally:
        over.set()
        for engine in engines:
            engine.stopping.set()
        for thread in threads:
            thread.join(20)


def late(seconds: float, status: int = 200) -> Callable[[socket.socket], None]:
    """Answer after so many seconds."""

    def answer(connection: socket.socket) -> None:
        time.sleep(seconds)
        reply(status)(connection)

    return answer


def holders() -> Counter[UUID]:
    """How many slots each run holds."""
    held = Lease.objects.filter(expires_at__gt=timezone.now())
    return Counter(held.values_list("holder", flat=True))


def nothing_queued() -> bool:
    return not QueuedDelivery.objects.exists()


def test_three_workers_hold_equal_parts_of_one_integration_and_keep_its_concurrency(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, concurrency=6)
    lock, flying = threading.Lock(), [0, 0]

    def judge(received: Received, connection: socket.socket) -> None:
        with lock:
            flying[0] += 1
            flying[1] = max(flying)
        time.sleep(0.06)
        with lock:
            flying[0] -= 1
        reply()(connection)

    vendor.judge = judge
    stored(hits(600))
    with workers(3):
        wait_until(lambda: sorted(holders().values()) == [2, 2, 2], within=10)
        wait_until(nothing_queued, within=30)
    assert delivered() == len(vendor.received) == 600, "none is sent twice"
    assert 4 <= flying[1] <= 6
    assert discrepancies() == []
    assert not holders()
    assert not EngineRun.objects.exists()


def test_one_slow_look_keeps_no_other_worker_waiting(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one connects, too, which takes long on a busy machine."""
    add_webhook(token, vendor.url, concurrency=6)
    vendor.answer = late(0.06)
    stored(hits(600))
    looks = itertools.count()

    def find_slowly(*ids: int) -> dict[int, Integration]:
        if next(looks) == 0:
            time.sleep(0.4)
        return due.find_running(*ids)

    monkeypatch.setattr(run, "find_running", find_slowly)
    with workers(1):
        wait_until(lambda: [*holders().values()] == [6], within=5)
        with workers(2):
            wait_until(lambda: sorted(holders().values()) == [2, 2, 2], within=4)
            assert QueuedDelivery.objects.exists(), "they share what is still queued"


def test_a_worker_that_comes_later_gets_its_part_and_gives_it_back_at_the_end(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    for name in ("one", "two"):
        add_webhook(token, vendor.url, name=name, concurrency=6)
    vendor.answer = late(0.02)
    stored(hits(600))
    with workers(1):
        wait_until(lambda: [*holders().values()] == [2 * SLOTS], within=10)
        with workers(1):
            wait_until(lambda: [*holders().values()] == [SLOTS, SLOTS], within=10)
        wait_until(lambda: [*holders().values()] == [2 * SLOTS] or nothing_queued(), within=10)
        wait_until(nothing_queued, within=30)
    assert delivered() == len(vendor.received) == 1200


def test_workers_together_keep_the_rate(token: Token, stored: Storing, vendor: Vendor) -> None:
    add_webhook(token, vendor.url, rate_limit=60)
    stored(hits(240))
    began = time.monotonic()
    with workers(3):
        wait_until(nothing_queued, within=20)
    assert time.monotonic() - began > 3.5
    assert len(vendor.received) == 240


def test_a_probe_is_sent_by_one_of_three_workers(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url)
    Integration.objects.filter(pk=integration.pk).update(
        paused_at=timezone.now(), paused_cause="down", probe_at=timezone.now()
    )
    vendor.answer = late(0.5, 500)
    stored(hits(50))
    with workers(3):
        wait_until(lambda: Integration.objects.get().probes == 1, within=10)
        time.sleep(0.3)
    assert len(vendor.received) == 1


def test_no_probe_follows_that_of_another_worker_on_an_old_look(
    token: Token, stored: Storing, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's probe fails between the look and the lease."""
    integration = add_webhook(token, vendor.url)
    Integration.objects.hold(integration, Cause.DOWN, "down", seconds=0)
    stored(hits(5))
    take = Leases.take

    def take_late(leases: Leases, slots: Collection[Slot]) -> set[Slot]:
        Integration.objects.hold(Integration.objects.get(), Cause.DOWN, "down", seconds=60)
        return take(leases, slots)

    monkeypatch.setattr(Leases, "take", take_late)
    Engine().run(linger=0.1)
    assert vendor.received == []
    assert not holders()


def test_failures_that_three_workers_see_trip_one_breaker(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url)
    vendor.answer = late(0.05, 500)
    stored(hits(300))
    with workers(3):
        wait_until(lambda: Integration.objects.get().paused_at, within=10)
        time.sleep(0.3)
    assert len(vendor.received) < 40
    assert Integration.objects.get().consecutive_failures == len(vendor.received)


def test_every_users_hits_arrive_in_order_from_three_workers_although_some_fail(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    add_webhook(token, vendor.url, ordered=True, retry_base=0.02, max_attempts=100, concurrency=24)
    chance, lock = random.Random(7), threading.Lock()
    accepted: defaultdict[str, list[str]] = defaultdict(list)

    def judge(received: Received, connection: socket.socket) -> None:
        data = received.json["data"]
        with lock:
            fine = chance.random() >= 0.2
            if fine:
                accepted[data["userId"]].append(data["hitId"])
        reply(200 if fine else 503)(connection)

    vendor.judge = judge
    stored((f"{n:05}", f"user{n % 20}") for n in range(400))
    with workers(3):
        wait_until(nothing_queued, within=60)
    assert sum(map(len, accepted.values())) == 400
    assert all(found == sorted(found) for found in accepted.values())
    assert discrepancies() == []


def test_a_release_waits_for_a_worker_that_parks_the_next_hit(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url, ordered=True)
    stored([("a1", "anna"), ("a2", "anna")])
    first, second = QueuedDelivery.objects.order_by("seq")
    (claim,) = QueuedDelivery.objects.claim(integration, limit=1, lease=60, in_order=True)
    assert claim.hit_id == first.hit_id
    done = Settlement(
        hit_id=claim.hit_id,
        leased_until=claim.leased_until,
        result="delivered",
        attempts=1,
        attempt_id=claim.hit_id,
    )

    def release() -> None:
        settle(integration, [done], [], is_shared=True)
        db.close()

    releasing = threading.Thread(target=release)
    with db.atomic():
        parked = QueuedDelivery.objects.claim(integration, limit=9, lease=60, in_order=True)
        assert parked == []
        releasing.start()
        time.sleep(0.3)
    releasing.join(10)
    second.refresh_from_db()
    assert second.due_at <= timezone.now()


def test_the_slots_of_a_frozen_worker_are_anothers_when_its_lease_ends(
    token: Token, stored: Storing, vendor: Vendor
) -> None:
    integration = add_webhook(token, vendor.url)
    ends, frozen = timezone.now() + timedelta(seconds=1), uuid4()
    EngineRun.objects.create(holder=frozen, expires_at=ends)
    for slot in range(SLOTS):
        Lease.objects.create(
            integration_id=integration.pk, slot=slot, holder=frozen, expires_at=ends
        )
    vendor.answer = late(0.05)
    stored(hits(300))
    with workers(2):
        time.sleep(0.4)
        assert vendor.received == []
        wait_until(lambda: sorted(holders().values()) == [3, 3], within=5)
        wait_until(nothing_queued, within=20)
    assert len(vendor.received) == 300


def test_a_process_opens_no_more_requests_than_it_may_and_divides_them(
    token: Token, stored: Storing, vendor: Vendor, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "MAX_OPEN_REQUESTS": 4}
    for name in ("one", "two"):
        add_webhook(token, f"{vendor.url}/{name}", name=name)
    lock = threading.Lock()
    flying: Counter[str] = Counter()
    most: Counter[str] = Counter()

    def judge(received: Received, connection: socket.socket) -> None:
        path = received.line.split()[1]
        with lock:
            flying.update((path, "all"))
            for key, many in flying.items():
                most[key] = max(most[key], many)
        time.sleep(0.03)
        with lock:
            flying.subtract((path, "all"))
        reply()(connection)

    vendor.judge = judge
    stored(hits(60))
    with workers(1):
        wait_until(lambda: len(vendor.received) >= 60, within=20)
        first = Counter(received.line.split()[1] for received in vendor.received[:60])
        wait_until(nothing_queued, within=20)
    assert most["all"] == 4
    assert min(first.values()) > 20, "neither waits for the other"
    assert len(vendor.received) == 120


def test_the_cap_goes_where_it_is_wanted() -> None:
    assert divide(10, {1: 3, 2: 3}, 0) == {1: 3, 2: 3}
    assert divide(10, {1: 1, 2: 16, 3: 16}, 0) == {1: 1, 2: 4, 3: 5}
    turns = [divide(1, {1: 4, 2: 4, 3: 4}, turn) for turn in range(3)]
    assert [next(key for key in shares if shares[key]) for shares in turns] == [1, 2, 3]


def test_each_slot_is_one_runs_and_slots_never_have_more_than_the_concurrency(
    token: Token, transactional_db: None
) -> None:
    rosters = [Roster(uuid4()) for _ in range(4)]
    for _ in range(2):
        for each in rosters:
            each._announced_at = None
            each.refresh()
    for concurrency in (1, 2, 5, 16, 17):
        integration = Integration(pk=7, token=token, concurrency=concurrency)
        parts = [[*each.mine(integration)] for each in rosters]
        assert sorted(slot for part in parts for _, slot in part) == [*slots_of(integration)]
        assert sum(concurrency_of(integration, len(part)) for part in parts) <= concurrency
        assert all(concurrency_of(integration, len(part)) for part in parts if part)


def test_an_integration_that_wants_nothing_has_no_turn() -> None:
    shares = [divide(1, {1: 0, 2: 5, 3: 5}, turn) for turn in range(4)]
    assert all(each[1] == 0 and sum(each.values()) == 1 for each in shares)


def test_a_slot_whose_consumer_never_began_does_not_end_the_rescue() -> None:
    """The database was lost between the lease and the start."""
    each = run.Run(threading.Event(), OpenRequests(), lambda: None, lambda: None)
    each._leases.held = {(1, 0)}
    with each._runner:
        each._share()
    assert each._leases.held == {(1, 0)}
