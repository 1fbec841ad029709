"""`track()`: the hit exists exactly when the caller's order does."""

import math
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group as Order
from django.db import connection, transaction
from django.utils.translation import gettext_lazy

from tests.ingest.parse.test_shared import nested
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tracking import track, wakeup
from tracking.ingest.errors import BadRequest, Unauthorized
from tracking.models import Hit, QueuedDelivery, Token


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether what rang was committed, each time the bell rang."""
    rung: list[bool] = []
    monkeypatch.setattr(
        wakeup, "wake_dispatcher", lambda: rung.append(not connection.in_atomic_block)
    )
    return rung


def test_a_committed_order_has_its_hit_and_its_delivery(token: Token, rings: list[bool]) -> None:
    integration = add_webhook(token)
    with transaction.atomic():
        Order.objects.create(name="order 1")
        hit_id = track(token, "Completed Transaction", user_id=7, total=Decimal("9.50"))
        assert rings == []
    stored = Hit.objects.get()
    assert (stored.hit_id, stored.name, stored.user_id) == (hit_id, "Completed Transaction", "7")
    assert stored.payload["event"] == {
        "name": "Completed Transaction",
        "total": 9.5,
        "user": {"userId": 7},
    }
    assert (stored.type, stored.clock, stored.ip) == ("track", "received", None)
    assert QueuedDelivery.objects.get().hit_id == stored.pk
    assert rings == [True]
    assert_exact(integration)


def test_a_rolled_back_order_has_no_hit(token: Token, rings: list[bool]) -> None:
    add_webhook(token)
    with transaction.atomic():
        Order.objects.create(name="order 1")
        track(token, "Completed Transaction", user_id="u1", hit_id="order-1")
        transaction.set_rollback(True)
    assert not Hit.objects.exists()
    assert not QueuedDelivery.objects.exists()
    assert (rings, counts()) == ([], {})
    track(token, "Completed Transaction", user_id="u1", hit_id="order-1")
    assert Hit.objects.get().hit_id == "order-1"


def test_a_savepoint_takes_back_its_own_hits_only(token: Token) -> None:
    with transaction.atomic():
        track(token, "kept", user_id="u1")
        with transaction.atomic():
            track(token, "taken back", user_id="u1")
            transaction.set_rollback(True)
    assert list(Hit.objects.values_list("name", flat=True)) == ["kept"]


def test_without_a_transaction_the_hit_is_there_at_once(token: Token) -> None:
    track(token.name, "Registered", anonymous_id="a1")
    assert Hit.objects.get().anonymous_id == "a1"


def test_a_repeated_hit_id_is_stored_once(token: Token, send: Send) -> None:
    send(hit(hitId="h1"))
    assert track(token, "Registered", user_id="u1", hit_id="h1") == "h1"
    assert Hit.objects.count() == 1


def test_an_open_transaction_stalls_nobody_elses_hits(token: Token, send: Send) -> None:
    """The hit in the open transaction holds no key that another sender could wait for."""
    statuses: list[int] = []
    with transaction.atomic():
        track(token, "Completed Transaction", user_id="u1")
        sender = threading.Thread(target=lambda: statuses.append(send(hit(hitId="h")).status_code))
        sender.start()
        sender.join(5)
        assert statuses == [204]
    assert Hit.objects.count() == 2


def test_what_json_cannot_say_is_said_all_the_same(token: Token) -> None:
    track(
        token,
        "Signed Up",
        user_id="u1",
        at=datetime(2026, 11, 24, tzinfo=UTC),
        key=UUID(int=5),
        label=gettext_lazy("Monday"),
        user={"plan": "pro"},
        token="a property may have any name",
        context={"ip": "198.51.100.9"},
        integrations={"All": False},
    )
    payload = Hit.objects.get().payload
    assert payload["event"] == {
        "name": "Signed Up",
        "at": "2026-11-24T00:00:00Z",
        "key": str(UUID(int=5)),
        "label": "Monday",
        "user": {"plan": "pro", "userId": "u1"},
        "token": "a property may have any name",
    }
    assert (payload["context"], payload["integrations"]) == (
        {"ip": "198.51.100.9"},
        {"All": False},
    )


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("keep", {"ip": "198.51.100.9"}), ("anonymise", {"ip": "198.51.100.0"}), ("drop", {})],
)
def test_the_tokens_policy_holds_for_addresses(token: Token, policy: str, kept: Any) -> None:
    Token.objects.filter(pk=token.pk).update(ip_policy=policy)
    track(token, "Registered", user_id="u1", context={"ip": "198.51.100.9"})
    assert Hit.objects.get().payload["context"] == kept


@pytest.mark.parametrize("zone", [UTC, None])
def test_when_it_happened_is_kept(token: Token, zone: Any) -> None:
    sent_at = datetime(2019, 2, 21, 10, tzinfo=zone)
    track(token, "Registered", user_id="u1", sent_at=sent_at)
    stored = Hit.objects.get()
    assert stored.occurred_at == stored.sent_at == datetime(2019, 2, 21, 10, tzinfo=UTC)
    assert stored.clock == "sent"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "user_required"),
        ({"user_id": "u" * 256}, "field_too_long"),
        ({"user_id": "u1", "pad": "x" * 65_536}, "body_too_large"),
        ({"user_id": "u1", "ratio": float("nan")}, "json_invalid"),
        ({"user_id": "u1", "ratio": -math.inf}, "json_invalid"),
        ({"user_id": "u1", "tree": nested(200)}, "json_too_deep"),
        ({"user_id": "u1", "tree": nested(5000)}, "json_too_deep"),
    ],
)
def test_what_cannot_be_taken_is_an_error_and_harms_no_transaction(
    token: Token, arguments: dict[str, Any], code: str
) -> None:
    with transaction.atomic():
        with pytest.raises(BadRequest) as refused:
            track(token, "Registered", **arguments)
        assert refused.value.code == code
        Order.objects.create(name="order 1")
    assert Order.objects.exists()
    assert not Hit.objects.exists()


def test_what_jsonb_cannot_hold_is_replaced(token: Token) -> None:
    track(token, "Uploaded", user_id="ü1", file="a\udcff.txt\0", size=2**70, levels={1: "é"})
    payload = Hit.objects.get().payload["event"]
    assert (payload["file"], payload["size"]) == ("a\ufffd.txt\ufffd", 2**70)
    assert (payload["user"], payload["levels"]) == ({"userId": "ü1"}, {"1": "é"})


@pytest.mark.parametrize("state", ["disabled", "revoked", "unknown"])
def test_a_token_that_is_not_usable_is_an_error(token: Token, state: str) -> None:
    if state == "disabled":
        Token.objects.filter(pk=token.pk).update(enabled=False)
    if state == "revoked":
        token.revoke()
    named = "nobody" if state == "unknown" else token
    with pytest.raises(Unauthorized):
        track(named, "Registered", user_id="u1")
    assert not Hit.objects.exists()
