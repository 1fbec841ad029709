"""The values that `track()` takes: what becomes JSON, and how, and what is refused by name."""

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group as Order
from django.db.models import IntegerChoices
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from tests.support.integrations import add_webhook
from tracking import track
from tracking.destinations.mapping.event_mapping import EventMapping
from tracking.models import Hit, QueuedDelivery, Token


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
