"""`track()`: the hit exists exactly when the caller's order does."""

import math
import threading
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group as Order
from django.db import connection, transaction
from django.db.models import IntegerChoices
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from tests.ingest.parse.test_shared import nested
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import assert_exact, counts
from tracking import track, wakeup
from tracking.destinations.mapping.event_mapping import EventMapping
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


class Size(IntegerChoices):
    LARGE = 3


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (Decimal("129.95"), 129.95),
        (Decimal("129"), 129),
        (Decimal("-0.10"), -0.1),
        (Decimal("1E+3"), 1000),
        (Decimal("12345678901234567890"), 12345678901234567890),
        (Decimal("1e-400"), 0.0),
        (date(2026, 11, 24), "2026-11-24"),
        (datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC), "2026-11-24T01:02:03.456Z"),
        (time(1, 2, 3), "01:02:03"),
        (timedelta(days=1, seconds=5), "P1DT00H00M05S"),
        (UUID(int=5), str(UUID(int=5))),
        (Size.LARGE, 3),
        (Colour.RED, "red"),
        (gettext_lazy("Monday"), "Monday"),
        (mark_safe("<b>"), "<b>"),
        ((1, Decimal("2.5")), [1, 2.5]),
        ({"a"}, ["a"]),
        ({1: {"b": Decimal("0.5")}, Colour.RED: None}, {"1": {"b": 0.5}, "red": None}),
    ],
)
def test_values_become_json(token: Token, value: Any, stored: Any) -> None:
    track(token, "Registered", user_id="u1", value=value, context={"value": value})
    payload = Hit.objects.get().payload
    assert payload["event"]["value"] == payload["context"]["value"] == stored
    assert type(payload["event"]["value"]) is type(stored)


def test_a_condition_on_a_decimal_holds(token: Token) -> None:
    integration = add_webhook(token)
    track("shop", "Completed Transaction", user_id="u1", total=Decimal("129.95"))
    (event,) = Hit.objects.events([Hit.objects.get().pk], integration).values()
    assert EventMapping(condition="properties.total > 10").apply(event) == event


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"thing": object()}, "`event.thing` is a object"),
        ({"order": Order(name="x")}, "`event.order` is a Group"),
        ({"orders": Order.objects.none()}, "`event.orders` is a QuerySet"),
        ({"raw": b"x"}, "`event.raw` is a bytes"),
        ({"items": [{"price": 1}, {"price": Decimal("NaN")}]}, r"`event.items\[1\].price` is NaN"),
        ({"ratio": Decimal("sNaN")}, "`event.ratio` is sNaN"),
        ({"ratio": math.inf}, "`event.ratio` is inf"),
        ({"at": time(1, tzinfo=UTC)}, "`event.at` is a time"),
        ({"context": {"thing": object()}}, "`context.thing` is a object"),
        ({"user": {"thing": object()}}, "`event.user.thing` is a object"),
        ({"user": "bob"}, "`user` must be a mapping, not a str"),
        ({"context": "web"}, "`context` must be a mapping"),
        ({"integrations": ["x"]}, "`integrations` must be a mapping"),
        ({"sent_at": 5}, "`sent_at` must be a datetime, not a int"),
        ({"sent_at": "yesterday"}, "`sentAt` must be an ISO-8601 time"),
    ],
)
def test_what_cannot_be_stored_is_a_value_error_that_names_it(
    token: Token, values: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        track(token, "Registered", user_id="u1", **values)
    assert not Hit.objects.exists()


@pytest.mark.parametrize(
    ("sent_at", "stored"),
    [
        (date(2026, 2, 1), "2026-01-31T18:30:00+00:00"),
        (datetime(2026, 2, 1, 5, 30), "2026-02-01T00:00:00+00:00"),  # noqa: DTZ001
        ("2026-02-01", "2026-02-01T00:00:00+00:00"),
        ("2026-02-01T05:30:00+05:30", "2026-02-01T00:00:00+00:00"),
    ],
)
def test_the_time_may_be_a_date_or_a_text(token: Token, sent_at: Any, stored: str) -> None:
    with timezone.override("Asia/Kolkata"):
        track(token, "Registered", user_id="u1", sent_at=sent_at)
    assert Hit.objects.get().sent_at == datetime.fromisoformat(stored)


def test_properties_in_a_mapping_may_have_any_name(token: Token) -> None:
    integration = add_webhook(token)
    properties = {"name": "Monopoly", "user": "bob", "token": "t", "user_id": 5, "properties": [1]}
    hit_id = track(
        token,
        "Added Product",
        properties,
        user_id="u1",
        hit_id="h1",
        sent_at=datetime(2026, 2, 1, tzinfo=UTC),
        context={"locale": "de"},
        user={"plan": "pro"},
        integrations={"All": False},
    )
    stored = Hit.objects.get()
    assert (stored.name, stored.user_id, stored.hit_id, hit_id) == (
        *("Added Product", "u1"),
        *("h1", "h1"),
    )
    (event,) = Hit.objects.events([stored.pk], integration).values()
    assert (event.properties, event.traits) == (properties, {"plan": "pro"})
    assert event.context["locale"] == "de"
    assert (stored.clock, stored.occurred_at) == ("sent", datetime(2026, 2, 1, tzinfo=UTC))
    assert not QueuedDelivery.objects.exists()


def test_a_property_may_be_called_name(token: Token) -> None:
    track(token, "Added Product", user_id="u1", name="Monopoly", price=Decimal("19.90"))
    (event,) = Hit.objects.events([Hit.objects.get().pk], add_webhook(token)).values()
    assert (event.name, event.properties) == ("Added Product", {"name": "Monopoly", "price": 19.9})


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
