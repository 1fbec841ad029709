"""Hits of both shapes become events and profiles that Klaviyo knows again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.destinations.samples import IDENTIFY, PAGE, SALE, SAMPLES
from tests.destinations.vendors.klaviyo.strict import depth
from tests.support.vendor import Vendor
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.vendors.klaviyo.destination import (
    EMAIL,
    PHONE,
    TOO_MANY,
    Klaviyo,
    read_phone,
)
from tracking.events import Event

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "properties": {"order_id": "o1", "total": 30, "revenue": 25.5, "currency": "EUR"},
    "context": {"traits": {"email": "jane@example.com"}},
}


def attributes(event: Event) -> dict[str, Any]:
    body = json.loads(Klaviyo({"private_key": "pk_x"}).request([event]).body)
    found: dict[str, Any] = body["data"]["attributes"]
    return found


def test_an_order_has_its_value_in_both_shapes() -> None:
    sale = attributes(SALE)
    assert (sale["value"], sale["value_currency"]) == (185, "USD")
    order = attributes(replace(SALE, name="Order Completed", payload=ORDER))
    assert (order["value"], order["value_currency"]) == (25.5, "EUR")
    assert order["profile"]["data"]["attributes"]["email"] == "jane@example.com"
    text = {**ORDER, "properties": {"revenue": "129.95", "total": 149.95, "currency": "usd"}}
    told = attributes(replace(SALE, payload=text))
    assert (told["value"], told["value_currency"]) == (129.95, "USD")
    paid = {"event": {"name": "X", "transaction": {"total": "99.90", "currency": "EUR"}}}
    assert attributes(replace(SALE, payload=paid))["value"] == 99.9
    for odd in (True, "free", None):
        payload = {**ORDER, "properties": {"total": odd, "currency": "EUR"}}
        assert not {"value", "value_currency"} & attributes(replace(SALE, payload=payload)).keys()


def test_a_person_is_known_by_every_id() -> None:
    person = attributes(SALE)["profile"]["data"]["attributes"]
    assert person == {
        "email": "John.Doe@Example.com",
        "phone_number": "+16505550100",
        "first_name": "John",
        "last_name": "Doe",
        "external_id": "u1",
        "anonymous_id": "a1",
    }


def test_a_guests_address_is_that_of_the_order_and_one_that_is_none_is_left_out() -> None:
    order = {"total": 5, "contactInfo": {"email": "guest@example.com"}}
    guest = {"event": {"name": "X", "transaction": order}}
    sent = attributes(replace(SALE, user_id="", payload=guest))["profile"]["data"]["attributes"]
    assert sent["email"] == "guest@example.com"
    odd = {**ORDER, "context": {"traits": {"email": "n/a", "phone": "0170 1234567", "x": 1}}}
    event = replace(SALE, payload=odd)
    sent = attributes(event)["profile"]["data"]["attributes"]
    assert sent == {"external_id": "u1", "anonymous_id": "a1", "properties": {"x": 1}}
    lost = Klaviyo({"private_key": "pk_x"}).left_out(event)
    assert lost == {("traits", "email"): EMAIL, ("traits", "phone"): PHONE}
    german = Klaviyo({"private_key": "pk_x", "default_country": "DE"})
    body = json.loads(german.request([event]).body)["data"]["attributes"]
    assert body["profile"]["data"]["attributes"]["phone_number"] == "+491701234567"


def test_a_profile_has_the_other_traits_as_properties() -> None:
    request = Klaviyo({"private_key": "pk_x"}).request([SAMPLES["identify"]])
    assert request.url.endswith("/api/profile-import")
    person = attributes(SAMPLES["identify"])
    assert "anonymous_id" not in person
    assert person["properties"] == {"plan": "pro", "createdAt": "2026-01-02T03:04:05Z"}


def test_what_klaviyo_cannot_take_is_skipped() -> None:
    klaviyo = Klaviyo({"private_key": "pk_x"})
    assert klaviyo.skip(SALE) == ""
    assert "1 to 127" in klaviyo.skip(replace(SALE, name="x" * 128))
    assert "1 to 127" in klaviyo.skip(replace(SALE, name=""))
    assert "since 2000" in klaviyo.skip(replace(SALE, occurred_at=datetime(1999, 1, 1, tzinfo=UTC)))
    unknown = replace(SALE, user_id="null", anonymous_id="", payload={"event": {"name": "X"}})
    assert "requires an id" in klaviyo.skip(unknown)
    nobody = replace(SAMPLES["identify"], user_id="", payload={**IDENTIFY, "traits": {"a": 1}})
    assert "A profile requires" in klaviyo.skip(nobody)
    assert "of type page" in klaviyo.skip(replace(SAMPLES["page"], payload=PAGE))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1 (650) 555-0100", "+16505550100"),
        ("+49.30.123456", "+4930123456"),
        ("0301234567", ""),
        ("+1", ""),
        ("call me", ""),
    ],
)
def test_a_phone_number_that_is_not_whole_is_left_out(text: str, number: str) -> None:
    assert read_phone(text) == number


def test_what_is_too_deep_becomes_text_and_what_is_too_long_is_named() -> None:
    deep: dict[str, Any] = {}
    for _ in range(15):
        deep = {"in": deep}
    wide = {f"p{n}": n for n in range(398)}
    payload = {"event": "X", "properties": {"deep": deep, "long": [1] * 4_001, **wide, "p": 1}}
    event = replace(SALE, payload=payload)
    sent = attributes(event)["properties"]
    assert depth(sent) == 10
    assert len(sent["long"]) == 4_000
    lost = Klaviyo({"private_key": "pk_x"}).left_out(event)
    assert lost == {("properties", "long", "4000"): TOO_MANY, ("properties", "p"): TOO_MANY}


def test_verify_says_whose_key_it_is(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Klaviyo, "hosts", {"": vendor.url})
    assert check_connection(Klaviyo({"private_key": "pk_x"})).message == "The key is valid."
    (asked,) = vendor.received
    assert asked.line.startswith("GET /hook/api/accounts ")
    assert asked.headers["authorization"] == "Klaviyo-API-Key pk_x"
    assert asked.headers["revision"] == "2026-07-15"
