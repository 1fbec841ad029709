"""What Google gets of the sender's own properties, what it lacks, and the visitor's consent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.samples import PAGE, SALE, SAMPLES, sample
from tests.destinations.vendors.google_analytics.test_google_analytics import (
    GOOGLE,
    body_of,
    params_of,
    track,
)
from tracking.destinations.vendors.google_analytics.destination import GoogleAnalytics
from tracking.destinations.vendors.google_analytics.own_parameters import (
    EMPTY,
    ITEM_TOO_MANY,
    MONEY,
    NAME,
    NOT_PLAIN,
    TOO_MANY,
)


def test_letters_of_any_script_are_letters() -> None:
    told = body_of(track("Заказ оформлен", **{"цвет": "синий", "größe": 3, "1a": 1}))["events"][0]
    assert told["name"] == "заказ_оформлен"
    assert (told["params"]["цвет"], told["params"]["größe"]) == ("синий", 3)
    assert GOOGLE.left_out(track("X", **{"1a": 1})) == {("properties", "1a"): NAME}


def test_the_name_of_a_reserved_event_is_a_name_for_a_parameter() -> None:
    params = params_of(track("API Failed", error="timeout", first_open="x", firebase_conversion=1))
    assert (params["error"], params["first_open"]) == ("timeout", "x")
    assert "firebase_conversion" not in params


def test_own_properties_stand_beside_googles() -> None:
    order = track(
        "Completed Transaction",
        gift=True,
        transaction={
            "orderId": "o1",
            "currency": "EUR",
            "total": 12,
            "revenue": 10,
            "isFirst": True,
            "lineItems": [{"product": {"id": "p1", "stock": 4, "deep": {"x": 1}}, "gift": "yes"}],
        },
    )
    params = params_of(order)
    assert (params["transaction_id"], params["value"], params["currency"]) == ("o1", 10, "EUR")
    assert params["gift"] == "true"
    assert (params["transaction_total"], params["transaction_isFirst"]) == (12, "true")
    assert not {"transaction_orderId", "transaction_revenue"} & params.keys()
    assert params["items"] == [{"item_id": "p1", "stock": 4, "gift": "yes"}]
    path = ("properties", "transaction", "lineItems", "0", "product", "deep", "x")
    assert GOOGLE.left_out(order) == {path: NOT_PLAIN}
    page = replace(SAMPLES["page"], payload={**PAGE, "properties": {"title": "T", "colour": "red"}})
    assert params_of(page)["colour"] == "red"


def test_an_item_has_ten_own_parameters_at_most() -> None:
    product = {"id": "p1", **{f"own{n}": n for n in range(12)}}
    order = track("Completed Transaction", transaction={"orderId": "o1", "lineItems": [product]})
    (item,) = params_of(order)["items"]
    assert item == {"item_id": "p1", **{f"own{n}": n for n in range(10)}}
    path = ("properties", "transaction", "lineItems", "0")
    assert GOOGLE.left_out(order) == {(*path, f"own{n}"): ITEM_TOO_MANY for n in (10, 11)}


def test_what_is_left_out_is_named() -> None:
    own = {
        "none": None,
        "list": [1],
        "_x": 1,
        "value": 3,
        "long": "x" * 101,
        **{f"p{n}": n for n in range(30)},
    }
    lost = GOOGLE.left_out(track("Danced", user={"email": "a@b.example", "plan": "pro"}, **own))
    assert {path[-1]: rule.code for path, rule in lost.items() if path[1][0] != "p"} == {
        "none": "google_empty",
        "0": "google_not_plain",
        "_x": "google_name",
        "long": "google_cut",
        "email": "google_traits",
    }
    beyond = [path[1] for path, rule in lost.items() if rule == TOO_MANY]
    assert beyond == [f"p{n}" for n in range(21, 30)]


@pytest.mark.parametrize(
    ("options", "context", "config", "expected"),
    [
        ({}, {}, "", None),
        ({}, {"ad_user_data": "denied"}, "", {"ad_user_data": "DENIED"}),
        ({}, {"adUserData": True, "ad_personalization": False}, "", (True, False)),
        ({"ad_user_data": "granted"}, {"ad_user_data": "denied"}, "", {"ad_user_data": "GRANTED"}),
        ({"consent": {"ad_personalization": "DENIED"}}, {}, "granted", (True, False)),
        ({}, {"categoryPreferences": {"Advertising": False}}, "granted", (False, False)),
        ({}, {}, "denied", (False, False)),
    ],
)
def test_the_consent_of_the_hit_is_googles(
    options: dict[str, Any], context: dict[str, Any], config: str, expected: Any
) -> None:
    destination = GoogleAnalytics({**GOOGLE.config, "consent": config})
    payload = {"event": {"name": "Danced"}, "context": {"consent": context}}
    event = replace(sample(0, payload, name="Danced"), options=options)
    if isinstance(expected, tuple):
        words = ["GRANTED" if each else "DENIED" for each in expected]
        expected = dict(zip(("ad_user_data", "ad_personalization"), words, strict=True))
    assert json.loads(destination.request([event]).body).get("consent") == expected


def test_a_request_has_one_consent() -> None:
    denied = {**SALE.payload, "context": {"consent": {"ad_user_data": "denied"}}}
    events = [SALE, replace(SALE, payload=denied, id=SAMPLES["page"].id)]
    assert [len(batch) for batch in GOOGLE.batches(events)] == [1, 1]


def test_a_value_that_google_reads_as_money_is_money() -> None:
    """In an event of one's own it is whatever it is."""
    paid = {"value": 3, "tax": "free", "currency": "Euro"}
    lost = GOOGLE.left_out(track("Logged In", **paid))
    assert {path[-1]: rule for path, rule in lost.items()} == dict.fromkeys(paid, MONEY)
    params = params_of(track("Logged In", value=3, tax=1, currency="EUR"))
    assert (params["value"], params["tax"], params["currency"]) == (3, 1, "EUR")
    assert paid.items() <= params_of(track("Danced", **paid)).items()


def test_a_metric_without_a_value_is_left_out_with_its_name() -> None:
    lost = GOOGLE.left_out(track("Danced", customMetrics=[{"name": "weight", "value": None}]))
    at = ("properties", "customMetrics", "0")
    assert lost == {(*at, "value"): EMPTY, (*at, "name"): EMPTY}
