"""Who delivers with a slot of an integration: one run at a time, until its lease ends."""

import socket
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.delivery.conftest import Storing
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor, reply
from tracking.delivery import lease
from tracking.delivery.engine import engine
from tracking.delivery.lease import Leases, Slot
from tracking.delivery.roster import SLOTS
from tracking.models import Lease, QueuedDelivery, Token


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SECONDS", 0.3)
    monkeypatch.setattr(lease, "RENEWED_AFTER", 0.1)


def test_one_holder_at_a_time(transactional_db: None) -> None:
    first, second = Leases(uuid4()), Leases(uuid4())
    assert first.take([(1, 0), (2, 0)]) == {(1, 0), (2, 0)}
    assert second.take([(1, 0), (2, 0), (2, 1)]) == {(2, 1)}
    second.leave([(1, 0)])
    assert second.take([(1, 0)]) == set(), "nobody ends another's lease"
    first.leave([(1, 0)])
    assert second.take([(1, 0), (2, 0)]) == {(1, 0)}


def test_a_holder_that_is_stopped_loses_its_leases(transactional_db: None, short: None) -> None:
    stopped, other = Leases(uuid4()), Leases(uuid4())
    assert stopped.take([(1, 0), (1, 1)]) == {(1, 0), (1, 1)}
    time.sleep(0.35)
    assert other.take([(1, 0)]) == {(1, 0)}
    assert stopped.renew() == {(1, 0)}
    assert other.take([(1, 1)]) == set(), "an expired lease that nobody took is renewed"


def test_a_run_renews_its_lease_while_a_request_takes_long(
    token: Token, stored: Storing, vendor: Vendor, short: None
) -> None:
    integration = add_webhook(token, vendor.url)
    slots = [(integration.pk, slot) for slot in range(SLOTS)]
    others: list[set[Slot]] = []

    def answer(connection: socket.socket) -> None:
        for _ in range(8):
            time.sleep(0.1)
            others.append(Leases(uuid4()).take(slots))
        reply()(connection)

    vendor.answer = answer
    stored([("h0", "u0")])
    engine.run()
    assert others == [set()] * 8
    assert len(vendor.received) == 1
    assert Leases(uuid4()).take(slots) == {*slots}


def test_a_run_whose_lease_is_lost_gives_back_what_it_has_not_sent(
    token: Token, stored: Storing, vendor: Vendor, short: None
) -> None:
    add_webhook(token, vendor.url, concurrency=1)
    other = uuid4()

    def answer(connection: socket.socket) -> None:
        Lease.objects.update(holder=other, expires_at=timezone.now() + timedelta(minutes=1))
        time.sleep(0.15)
        reply()(connection)

    vendor.answer = answer
    stored([(f"h{number}", "u0") for number in range(100)])
    engine.run()
    assert 0 < len(vendor.received) < 10
    rest = QueuedDelivery.objects.filter(due_at__lte=timezone.now(), claims=0, attempts=0)
    assert rest.count() == 100 - len(vendor.received)
    assert Lease.objects.get().holder == other
