"""One event that is beyond every limit of every vendor, and uses the names that vendors reserve: it
is taken, and each value arrives or is left out by a rule."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.arrival import Haystack
from tests.destinations.contract.test_generated import DOUBLES, body_of, make
from tests.destinations.generated_events import mark
from tests.destinations.judge import post, serve
from tests.destinations.samples import SALE
from tests.destinations.strict_hits import SEGMENT_PROPERTIES
from tracking.destinations.spec.omissions import is_below
from tracking.destinations.spec.origins import sender_values
from tracking.events import Event


def beyond() -> Event:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(50):
        deep = {"in": deep}
    own = {
        **dict.fromkeys(("_x", "1a", "google_x", "firebase_conversion", "ga_x"), "own"),
        "text": "x" * 101,
        "a b": "own",
        "a_b": "own",
        **SEGMENT_PROPERTIES,
        **dict.fromkeys(("time", "ip", "distinct_id", "$insert_id", "$set", "$groups"), "own"),
        "deep": deep,
        "wide": {f"w{n}": 1 for n in range(1_001)},
        "long": [1] * 4_001,
        **{f"p{n}": 1 for n in range(1_001)},
    }
    payload = {
        "type": "track",
        "event": "Order Completed",
        "properties": mark(own, itertools.count(1_000)),
        "traits": {"email": "n/a", "phone": "0170", "address": {"country": "Nowhere"}, "plan": "x"},
        "context": SALE.payload["context"],
    }
    return replace(SALE, name="Order Completed", payload=payload)


#: The rules that leave values of it out. Segment has a limit of size only, by which it is skipped.
LOST = {
    "amplitude": {"amplitude_too_many"},
    "google-analytics": {
        *("google_not_plain", "google_name", "google_taken", "google_cut", "google_too_many"),
        "google_traits",
    },
    "klaviyo": {"klaviyo_too_many", "klaviyo_email", "klaviyo_phone"},
    "meta": {"meta_own", "meta_email", "meta_phone", "meta_country", "meta_personal"},
    "mixpanel": {"mixpanel_too_many", "mixpanel_reserved", "mixpanel_traits"},
    "posthog": {"posthog_no_object"},
    "tiktok": {"tiktok_own", "tiktok_email", "tiktok_phone", "tiktok_country", "tiktok_personal"},
}


@pytest.mark.parametrize("slug", sorted(LOST))
def test_an_event_beyond_all_limits_is_taken_and_what_it_lacks_is_named(slug: str) -> None:
    double, event = DOUBLES[slug], beyond()
    with serve(double) as vendor:
        destination = make(slug, vendor.url)
        assert destination.skip(event) == ""
        (receipt,) = post(destination, list(destination.batches([event])))
    assert receipt.refused == {}
    assert getattr(double, "problems", []) == []
    haystack, lost = Haystack(body_of(destination, event)), destination.left_out(event)
    assert {rule.code for rule in lost.values()} == LOST[slug]
    for path, value in sender_values(event):
        assert is_below(path, lost) or haystack.has(path, value), path
