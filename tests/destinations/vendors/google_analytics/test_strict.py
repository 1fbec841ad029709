"""Google takes everything in silence: so nothing that we send may break its rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.destinations.judge import Ask, post, send, serve
from tests.destinations.samples import SAMPLES, sales
from tests.destinations.strict_hits import catalogue_events, hits, more_sales
from tests.destinations.vendors.google_analytics.strict import GoogleAnalyticsDouble
from tests.support.sizes import examples
from tests.support.vendor import Vendor
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.vendors.google_analytics.destination import GoogleAnalytics
from tracking.events import Event


@pytest.fixture(scope="module")
def double() -> GoogleAnalyticsDouble:
    return GoogleAnalyticsDouble()


@pytest.fixture(scope="module")
def google(double: GoogleAnalyticsDouble) -> Iterator[GoogleAnalytics]:
    with serve(double) as vendor:
        yield at(vendor)


def at(vendor: Vendor) -> GoogleAnalytics:
    class Here(GoogleAnalytics):
        hosts = {"eu": vendor.url, "global": vendor.url}  # noqa: RUF012

    return Here({"measurement_id": "G-ABC123", "api_secret": "secret", "region": "eu"})


@pytest.fixture(autouse=True)
def forgotten(double: GoogleAnalyticsDouble) -> None:
    double.problems.clear()
    double.events.clear()


def test_the_samples_obey_its_rules(google: GoogleAnalytics, double: GoogleAnalyticsDouble) -> None:
    send(google, [*SAMPLES.values(), *more_sales(60)])
    assert double.problems == []
    assert [event["name"] for event in double.events].count("purchase") == 61


def test_every_event_of_the_catalogue_obeys_its_rules(
    google: GoogleAnalytics, double: GoogleAnalyticsDouble
) -> None:
    events = catalogue_events()
    send(google, events)
    assert double.problems == []
    sent = {event["name"] for event in double.events}
    assert {"purchase", "refund", "page_view", "view_item", "add_to_cart", "search"} <= sent
    assert {"view_item_list", "select_item", "view_promotion", "sign_up", "login"} <= sent


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(hits(), max_size=4, unique_by=lambda event: event.id))
def test_whatever_is_sent_obeys_its_rules(
    google: GoogleAnalytics, double: GoogleAnalyticsDouble, events: list[Event]
) -> None:
    double.problems.clear()
    send(google, events)
    assert double.problems == []


def test_a_request_has_one_client(google: GoogleAnalytics, double: GoogleAnalyticsDouble) -> None:
    mixed = [
        replace(event, options={"clientId": f"{1 + place % 2}.1"})
        for place, event in enumerate(sales(8))
    ]
    batches = list(google.batches(mixed))
    assert [[*map(mixed.index, batch)] for batch in batches] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    post(google, batches)
    assert double.problems == []


def test_its_validation_server_takes_our_trial(google: GoogleAnalytics) -> None:
    verdict = check_connection(google)
    assert verdict.works, verdict
    assert "does not check" in verdict.message


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"x": "y" * 101}, "101 characters"),
        ({"_x": 1}, "reserved"),
        ({"x y": 1}, "invalid"),
        ({f"p{n}": n for n in range(26)}, "26 parameters"),
        ({"x": {}}, "dict"),
        ({"items": []}, "without items"),
        ({"items": [{"price": 1}]}, "without id and name"),
    ],
)
def test_the_double_minds_what_google_drops(params: object, problem: str) -> None:
    body = {"client_id": "1.1", "events": [{"name": "purchase", "params": params}]}
    query = {"measurement_id": "G-A", "api_secret": "s"}
    headers = {"content-type": "application/json"}
    ask = Ask("POST", "/mp/collect", query, headers, json.dumps(body).encode())
    double = GoogleAnalyticsDouble()
    assert double.answer(ask) == (204, None)
    assert any(problem in found for found in double.problems)
