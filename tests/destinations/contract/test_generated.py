"""Generated events at a strict double of each vendor: nothing breaks its rules, nothing of the
sender is lost unsaid, and what the vendor can take is sent."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from tests.destinations.arrival import Haystack
from tests.destinations.case import case_of, folder
from tests.destinations.generated_events import generated
from tests.destinations.judge import Double, post, serve
from tests.destinations.samples import RECEIVED
from tests.destinations.vendors.amplitude.strict import AmplitudeDouble
from tests.destinations.vendors.google_analytics.strict import GoogleAnalyticsDouble
from tests.destinations.vendors.klaviyo.strict import KlaviyoDouble
from tests.destinations.vendors.meta.strict import MetaDouble
from tests.destinations.vendors.mixpanel.strict import MixpanelDouble
from tests.destinations.vendors.posthog.strict import PostHogDouble
from tests.destinations.vendors.segment.strict import SegmentDouble
from tests.destinations.vendors.tiktok.strict import TikTokDouble
from tests.support.sizes import of_faults
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.event_names import CATALOGUE
from tracking.destinations.spec.omissions import is_below
from tracking.destinations.spec.origins import sender_values
from tracking.events import Event

NOW = RECEIVED.timestamp()
DOUBLES: dict[str, Double] = {
    "amplitude": AmplitudeDouble("amplitude-key"),
    "google-analytics": GoogleAnalyticsDouble(),
    "klaviyo": KlaviyoDouble(NOW),
    "meta": MetaDouble(NOW),
    "mixpanel": MixpanelDouble("mixpanel-token", NOW),
    "posthog": PostHogDouble(NOW),
    "segment": SegmentDouble(NOW),
    "tiktok": TikTokDouble(NOW),
}
#: Those that take an event's properties as they are.
AS_SENT = ("amplitude", "klaviyo", "mixpanel", "posthog", "segment")
#: What the operator chose: as little kept back as the form allows.
OPTIONS: dict[str, dict[str, Any]] = {
    "klaviyo": {"default_country": "DE"},
    "meta": {"default_country": "DE"},
    "segment": {"receiver": "segment"},
    "tiktok": {"default_country": "DE"},
}

pytestmark = pytest.mark.faults
every = pytest.mark.parametrize("slug", sorted(DOUBLES))
SOLD = {"Completed Transaction", "Order Completed", "Refunded Transaction", "Order Refunded"}


@cache
def events() -> tuple[Event, ...]:
    """Return 300 events, or a tenth of them, taken from all: the first ones are simple."""
    found = generated(300)
    return tuple(found[:: len(found) // of_faults(300)])


def make(slug: str, url: str = "https://vendor.example") -> Destination:
    kind = registry.get_destination(slug)

    class Here(kind):  # type: ignore[misc, valid-type]
        hosts = dict.fromkeys(kind.hosts, url)

    made = case_of(kind).make(kind, url)
    here: Destination = Here({**made.config, **OPTIONS.get(slug, {})})
    return here


def taken(destination: Destination) -> list[Event]:
    return [event for event in events() if not destination.skip(event)]


def body_of(destination: Destination, event: Event) -> bytes:
    return destination.request([event]).body


@every
def test_nothing_breaks_the_vendors_rules(slug: str) -> None:
    double = DOUBLES[slug]
    with serve(double) as vendor:
        destination = make(slug, vendor.url)
        batches: Sequence[Sequence[Event]] = list(destination.batches(taken(destination)))
        receipts = post(destination, batches)
    assert [receipt.refused for receipt in receipts if receipt.refused] == []
    assert getattr(double, "problems", []) == []


@every
def test_every_value_arrives_or_is_left_out_by_a_rule(slug: str) -> None:
    destination = make(slug)
    for event in taken(destination):
        haystack, lost = Haystack(body_of(destination, event)), destination.left_out(event)
        assert set(lost.values()) <= set(destination.rules)
        unsaid = [
            (path, value)
            for path, value in sender_values(event)
            if not is_below(path, lost) and not haystack.has(path, value)
        ]
        assert unsaid == [], (event.name, event.type)


@every
def test_what_is_said_to_be_left_out_is_left_out(slug: str) -> None:
    """A rule that names a value which is sent all the same would be untrue."""
    destination, wrong, all_lost = make(slug), 0, 0
    for event in taken(destination):
        haystack, lost = Haystack(body_of(destination, event)), destination.left_out(event)
        for path, value in sender_values(event):
            # Only a marked value cannot be there by chance.
            if "~1" in str(value) and is_below(path, lost):
                all_lost += 1
                wrong += str(value).strip() in haystack.texts
    assert wrong <= all_lost / 100


@every
def test_what_the_vendor_can_take_is_sent(slug: str) -> None:
    destination, counts = make(slug), Counter[bool]()
    kind = registry.get_destination(slug)
    double = importlib.import_module(f"tests.destinations.vendors.{folder(kind)}.strict")
    for event in taken(destination):
        if event.type not in {"track", "page"}:
            continue
        haystack = Haystack(body_of(destination, event))
        for path, value in sender_values(event):
            if value is not None and double.can_take(event.name, path, value):
                counts[haystack.has(path, value)] += 1
    assert counts[True] >= 0.95 * counts.total() > 0, counts


@pytest.mark.parametrize("slug", [*AS_SENT, "google-analytics"])
def test_what_the_vendor_can_take_is_not_skipped(slug: str) -> None:
    """Who somebody is, an event of a type and with a name that the vendor takes."""
    destination, skipped = make(slug), Counter[str]()
    able = [
        event
        for event in events()
        if event.type in destination.takes
        and {event.user_id, event.anonymous_id} & {"u1", "u2", "kim"}
        and (event.user_id in {"u1", "u2", "kim"} or event.type == "track")
        and (event.name[:1].isalpha() or slug != "google-analytics")
        and event.name.strip()
    ]
    for event in able:
        reason = destination.skip(event)
        if reason and not reason.startswith("Google Analytics accepts"):
            skipped[reason] += 1
    assert able
    assert skipped.total() <= len(able) / 20, skipped


@pytest.mark.parametrize("slug", AS_SENT)
def test_own_properties_arrive_as_they_were_sent(slug: str) -> None:
    destination = make(slug)
    for event in taken(destination):
        if event.type == "identify":
            continue
        sent = Haystack(body_of(destination, event)).objects
        lost = {path[1] for path in destination.left_out(event) if path[0] == "properties"}
        own = {name: value for name, value in event.properties.items() if name not in lost}
        own.pop("$set", None)
        assert any(each | own == each for each in sent), event.name


@every
def test_there_is_no_time_after_the_receipt(slug: str) -> None:
    destination, ahead = make(slug), RECEIVED + timedelta(days=2)
    for event in taken(destination):
        late = replace(event, occurred_at=ahead, sent_at=ahead)
        body = body_of(destination, late).decode()
        assert ahead.date().isoformat() not in body
        assert str(int(ahead.timestamp())) not in body


@every
def test_there_is_no_revenue_without_a_purchase(slug: str) -> None:
    """What the sender calls revenue is the sender's."""
    destination = make(slug)
    for event in taken(destination):
        if event.type != "track" or event.name not in SOLD:
            objects = Haystack(body_of(destination, event)).objects
            named = [each["revenue"] for each in objects if "revenue" in each]
            own = [value for path, value in sender_values(event) if path[-1] == "revenue"]
            assert all(each in own for each in named), event.name
            names = {each.get(key) for each in objects for key in ("event_name", "event", "name")}
            if event.type == "track" and event.name in CATALOGUE:
                assert not names & {"Purchase", "purchase", "refund"}, event.name
