"""Whatever a sender writes, a destination skips it or makes the same request of it twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.destinations.case import case_of
from tests.destinations.strict_hits import catalogue_events, hits
from tests.support.sizes import examples
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.events import Event

SLUGS = ("amplitude", "google-analytics", "meta", "mixpanel", "posthog", "tiktok")
ALL = (*SLUGS, "klaviyo", "segment")


def make(slug: str) -> Destination:
    kind = registry.get_destination(slug)
    return case_of(kind).make(kind, "https://vendor.example")


@pytest.mark.parametrize("slug", ALL)
@settings(max_examples=examples(60), deadline=None)
@given(events=st.lists(hits(), max_size=3, unique_by=lambda event: event.id))
def test_nothing_that_is_sent_breaks_a_destination(slug: str, events: list[Event]) -> None:
    destination = make(slug)
    taken = [event for event in events if not destination.skip(event)]
    batches = list(destination.batches(taken))
    assert sorted(e.id for batch in batches for e in batch) == sorted(e.id for e in taken)
    for batch in batches:
        first, second = destination.request(batch), destination.request(batch)
        assert (first.url, first.body) == (second.url, second.body)
        json.loads(first.body)
        for event in batch:
            assert set(destination.left_out(event).values()) <= set(destination.rules)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    ("name", "order", "revenue", "total"),
    [
        ("Completed Transaction", "order-1", "169.8", "185"),
        ("Order Completed", "order-2", "159.8", "175.8"),
    ],
)
def test_an_order_is_told_in_the_words_of_either_catalogue(
    slug: str, name: str, order: str, revenue: str, total: str
) -> None:
    """Advertisers are told what was paid, analysts what the goods brought."""
    destination = make(slug)
    event = next(each for each in catalogue_events() if each.name == name)
    assert destination.skip(event) == ""
    body = destination.request([event]).body.decode()
    value = total if slug in {"meta", "tiktok"} else revenue
    assert f'"{order}"' in body
    assert f":{value}," in body
