"""What the sender wrote arrives at analytics vendors as it was written; derived values stand beside
it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.destinations.case import case_of
from tests.destinations.samples import SALE, sample
from tests.destinations.strict_hits import catalogue_events
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.events import Event

ANALYTICS = ("amplitude", "mixpanel", "posthog")


def make(slug: str) -> Destination:
    kind = registry.get_destination(slug)
    return case_of(kind).make(kind, "https://vendor.example")


def segment(name: str, properties: dict[str, Any], **fields: Any) -> Event:
    payload = {"type": "track", "event": name, "properties": properties}
    return sample(0, payload, name=name, **fields)


def body_of(slug: str, event: Event) -> Any:
    destination = make(slug)
    assert destination.skip(event) == ""
    return json.loads(destination.request([event]).body)


def properties_of(slug: str, event: Event) -> dict[str, Any]:
    body = body_of(slug, event)
    if slug == "amplitude":
        return dict(body["events"][0]["event_properties"])
    return dict((body["batch"] if slug == "posthog" else body)[0]["properties"])


@pytest.mark.parametrize("slug", ANALYTICS)
def test_there_is_revenue_only_where_something_was_bought(slug: str) -> None:
    for event in catalogue_events():
        stated = event.properties.get("revenue")
        if event.name not in {"Completed Transaction", "Order Completed"}:
            assert properties_of(slug, event).get("revenue") == stated, event.name
    viewed = {"product_id": "507", "name": "Monopoly", "price": 19, "currency": "usd"}
    event = segment("Product Viewed", viewed)
    assert "revenue" not in json.dumps(body_of(slug, event))
    assert viewed.items() <= properties_of(slug, event).items()
    assert properties_of(slug, SALE)["revenue"] == 169.8


@pytest.mark.parametrize("slug", ANALYTICS)
def test_a_list_arrives_as_it_was_sent(slug: str) -> None:
    items = [{"id": 1, "name": "A", "custom": "keep me", "price": "5"}, {"foo": "no name"}]
    sent = properties_of(slug, segment("List Saved", {"items": items}))
    assert sent["items"] == items
    assert "revenue" not in sent


@pytest.mark.parametrize("slug", ANALYTICS)
def test_no_derived_value_replaces_the_senders(slug: str) -> None:
    own = {
        **{name: f"own {name}" for name in ("revenue", "total", "currency", "items", "order_id")},
        "utm_source": "own",
        "$current_url": "own",
        "$os": "own",
        "products": [{"sku": "s"}],
    }
    page = {"url": "https://shop.example/"}
    context = {"campaign": {"source": "google"}, "page": page, "os": {"name": "x"}}
    payload = {"type": "track", "event": "Order Completed", "properties": own, "context": context}
    event = sample(0, payload, name="Order Completed")
    assert own.items() <= properties_of(slug, event).items()
    assert make(slug).left_out(event) == {}


@pytest.mark.parametrize(
    ("slug", "times"),
    [
        ("amplitude", lambda body: [body["events"][0]["time"]]),
        ("google-analytics", lambda body: [body["events"][0]["params"]["timestamp_micros"]]),
        ("klaviyo", lambda body: [body["data"]["attributes"]["time"]]),
        ("meta", lambda body: [body["data"][0]["event_time"]]),
        ("mixpanel", lambda body: [body[0]["properties"]["time"]]),
        ("posthog", lambda body: [body["batch"][0]["timestamp"]]),
        ("tiktok", lambda body: [body["data"][0]["event_time"]]),
    ],
)
def test_a_time_to_come_is_that_of_the_receipt(slug: str, times: Any) -> None:
    ahead = SALE.received_at + timedelta(days=2)
    late = replace(SALE, occurred_at=ahead, sent_at=ahead)
    now = replace(SALE, occurred_at=SALE.received_at)
    assert times(body_of(slug, late)) == times(body_of(slug, now))


@pytest.mark.parametrize("slug", [*ANALYTICS, "google-analytics", "klaviyo", "meta", "tiktok"])
@pytest.mark.parametrize("id", ["undefined", "null", "n/a", "0", "anonymous"])
def test_a_good_id_stands_in_for_one_that_is_none(slug: str, id: str) -> None:
    body = json.dumps(body_of(slug, replace(SALE, user_id=id, anonymous_id="good", options={})))
    assert f'"{id}"' not in body
    good = body_of(slug, replace(SALE, user_id="", anonymous_id="good", options={}))
    assert json.loads(body) == good
