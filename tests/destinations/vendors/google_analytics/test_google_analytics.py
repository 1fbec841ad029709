"""Google's names, clients and limits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.destinations.samples import SALE, SAMPLES, line_item, sample
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.vendors.google_analytics.config import GoogleAnalyticsConfig
from tracking.destinations.vendors.google_analytics.destination import (
    GoogleAnalytics,
)
from tracking.events import Event

GOOGLE = GoogleAnalytics({"measurement_id": "G-ABC123", "api_secret": "s", "region": "eu"})


def track(name: str, **event: Any) -> Event:
    return sample(0, {"event": {"name": name, **event}}, name=name)


def body_of(event: Event) -> Any:
    assert GOOGLE.skip(event) == ""
    return json.loads(GOOGLE.request([event]).body)


def params_of(event: Event) -> Any:
    return body_of(event)["events"][0]["params"]


@pytest.mark.parametrize(
    ("options", "client"),
    [
        ({"clientId": "123.456"}, "123.456"),
        ({"clientId": "GA1.2.123.456"}, "123.456"),
        ({"clientId": ""}, "4116705647.1727279968"),
        ({}, "4116705647.1727279968"),
    ],
)
def test_the_client_is_the_hits_own_else_made_of_the_browsers(
    options: dict[str, Any], client: str
) -> None:
    assert body_of(replace(SALE, options=options))["client_id"] == client


def test_a_user_stands_in_for_an_unknown_browser() -> None:
    user = replace(SALE, options={}, anonymous_id="")
    assert body_of(user)["client_id"] != body_of(replace(SALE, options={}))["client_id"]
    assert body_of(user)["user_id"] == "u1"
    assert "client id" in GOOGLE.skip(replace(user, user_id=""))


def test_a_custom_event_has_its_plain_values_by_googles_names() -> None:
    event = track(
        "Spent Time on Site: 180s",
        action="read",
        ok=True,
        deep={"of": {"no": "place"}, "but": "this"},
        customDimensions=[{"name": "shoe colour", "value": "red"}],
        customMetrics=[{"name": "weight", "value": None}, {"name": "size", "value": 43}],
        _private=1,
        ga_session=2,
        tags=["a"],
    )
    told = body_of(event)["events"][0]
    assert told["name"] == "spent_time_on_site_180s"
    fixed = {"timestamp_micros", "engagement_time_msec"}
    assert {name: value for name, value in told["params"].items() if name not in fixed} == {
        "action": "read",
        "ok": "true",
        "deep_but": "this",
        "shoe_colour": "red",
        "size": 43,
    }


def test_what_is_too_long_or_too_much_is_trimmed() -> None:
    event = track("n" * 50, **{f"p{n}": "x" * 200 for n in range(40)})
    told = body_of(event)["events"][0]
    assert told["name"] == "n" * 40
    assert len(told["params"]) == 25
    assert len(told["params"]["p0"]) == 100


@pytest.mark.parametrize("name", ["Error", "session_start", "ga_x", "???", "", "123"])
def test_a_name_that_google_refuses_is_skipped_with_a_reason(name: str) -> None:
    """The reason is the same for every name: the ledger counts by it."""
    assert GOOGLE.skip(track(name)) == "Google Analytics does not allow the event's name."


def test_an_order_without_its_id_or_goods_is_skipped_with_a_reason() -> None:
    assert GOOGLE.skip(track("Completed Transaction", transaction={"lineItems": []})) == (
        "Google Analytics accepts purchase only with transaction_id and items."
    )
    assert "transaction_id" in GOOGLE.skip(track("Order Refunded"))


def test_a_whole_order_is_refunded_by_its_id_alone() -> None:
    told = body_of(track("Refunded Transaction", transaction={"orderId": "o"}))["events"][0]
    assert told["name"] == "refund"
    assert told["params"]["transaction_id"] == "o"


def test_a_listing_without_goods_goes_under_its_own_name() -> None:
    """The vendor's script sends listings without their items."""
    told = body_of(track("Viewed Product Listing", listing={"listName": "Boots"}))["events"][0]
    assert told["name"] == "viewed_product_listing"
    assert told["params"]["listing_listName"] == "Boots"


def test_googles_own_names_are_known() -> None:
    """Under such a name an event without what Google requires would be lost in silence."""
    product = line_item("p1", "Boots", 3, 1)["product"]
    assert params_of(track("Add to cart", product=product))["items"][0]["item_id"] == "p1"
    assert GOOGLE.skip(track("add_to_cart")) == (
        "Google Analytics accepts add_to_cart only with items."
    )


def test_a_value_needs_a_currency() -> None:
    product = {**line_item("p1", "Boots", 3, 1)["product"], "currency": ""}
    assert "value" not in params_of(track("Viewed Product Detail", product=product))


def test_a_hit_without_interaction_is_no_engagement() -> None:
    assert "engagement_time_msec" not in params_of(track("Danced", nonInteraction=True))
    assert params_of(track("Danced"))["engagement_time_msec"] == 1


def test_the_session_is_told_where_it_is_a_number() -> None:
    session = replace(SALE, options={"sessionId": "1700000000"})
    assert params_of(session)["session_id"] == "1700000000"
    assert "session_id" not in params_of(replace(SALE, options={"sessionId": "abc"}))


def test_events_older_than_72_hours_are_skipped_with_a_reason() -> None:
    old = replace(SALE, occurred_at=SALE.received_at - timedelta(hours=73))
    assert "72 hours" in GOOGLE.skip(old)
    assert GOOGLE.skip(replace(old, occurred_at=SALE.received_at - timedelta(hours=71))) == ""


def test_a_time_to_come_is_the_time_of_arrival() -> None:
    ahead = replace(SALE, occurred_at=SALE.received_at + timedelta(hours=1))
    assert params_of(ahead)["timestamp_micros"] == int(SALE.received_at.timestamp() * 1_000_000)


def test_an_event_that_no_request_can_hold_is_skipped_with_a_reason() -> None:
    text = "ж" * 200
    lines = [{"product": {"id": text, "name": text, "manufacturer": text, "category": [text] * 5}}]
    huge = track("Completed Transaction", transaction={"orderId": "o", "lineItems": lines * 200})
    assert "130 kB" in GOOGLE.skip(huge)


@pytest.mark.parametrize(("region", "host"), [("global", "www"), ("eu", "region1")])
def test_the_region_has_its_host(region: str, host: str) -> None:
    destination = GoogleAnalytics({**GOOGLE.config, "region": region})
    url = destination.request([SAMPLES["page"]]).url
    assert url.startswith(
        f"https://{host}.google-analytics.com/mp/collect?measurement_id=G-ABC123&"
    )


def test_a_measurement_id_is_checked_when_it_is_typed() -> None:
    form = GoogleAnalyticsConfig({"measurement_id": "UA-123-1", "api_secret": "s"})
    assert not form.is_valid()


def test_a_complaint_of_the_validation_server_is_shown(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GoogleAnalytics, "hosts", {"global": vendor.url})
    vendor.answer = reply(200, b'{"validationMessages": [{"description": "Bad name."}]}')
    verdict = check_connection(GOOGLE)
    assert not verdict.works
    assert "Bad name." in verdict.message
    assert "/debug/mp/collect?" in vendor.received[0].line
