"""Mixpanel takes what we send, and our receipts name what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.destinations.judge import post, send, serve
from tests.destinations.samples import RECEIVED, SAMPLES, sales
from tests.destinations.strict_hits import catalogue_events, hits, more_sales
from tests.destinations.vendors.mixpanel.strict import MixpanelDouble
from tests.support.sizes import examples
from tests.support.vendor import Vendor
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.vendors.mixpanel.destination import Mixpanel
from tracking.events import Event
from tracking.exceptions import SetupError


@pytest.fixture
def double() -> MixpanelDouble:
    return MixpanelDouble("mixpanel-token", RECEIVED.timestamp())


@pytest.fixture
def vendor(double: MixpanelDouble) -> Iterator[Vendor]:
    with serve(double) as vendor:
        yield vendor


def at(vendor: Vendor, token: str = "mixpanel-token") -> Mixpanel:
    class Here(Mixpanel):
        hosts = {"us": vendor.url}  # noqa: RUF012

    return Here({"project_token": token, "region": "us"})


def test_it_takes_the_samples(vendor: Vendor, double: MixpanelDouble) -> None:
    receipts = send(at(vendor), [*SAMPLES.values(), *more_sales(30), *catalogue_events()])
    assert [receipt.refused for receipt in receipts] == [{}, {}]
    assert len(double.events) == 3 + 30 + len(catalogue_events())
    assert double.profiles["u1"]["$email"] == "john.doe@example.com"


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(hits(), max_size=4, unique_by=lambda event: event.id))
def test_it_takes_whatever_is_sent(vendor: Vendor, events: list[Event]) -> None:
    for receipt in send(at(vendor), events):
        assert receipt.refused == {}


def test_a_repeated_event_is_kept_once(vendor: Vendor, double: MixpanelDouble) -> None:
    for _ in range(2):
        send(at(vendor), sales(5))
    assert len(double.events) == 5


def test_the_receipt_names_what_it_refused(vendor: Vendor, double: MixpanelDouble) -> None:
    good, bad, other = sales(3)
    bad = replace(bad, occurred_at=datetime(1970, 1, 1, tzinfo=UTC))
    receipt = post(at(vendor), [[good, bad, other]])[0]
    assert list(receipt.refused) == [bad.id]
    assert "properties.time" in receipt.refused[bad.id]
    assert len(double.events) == 2


def test_a_refused_profile_is_named(vendor: Vendor, double: MixpanelDouble) -> None:
    known = SAMPLES["identify"]
    nobody = replace(known, id=SAMPLES["page"].id, user_id="")
    receipt = post(at(vendor), [[known, nobody]])[0]
    assert list(receipt.refused) == [nobody.id]
    assert list(double.profiles) == ["u1"]


def test_a_trial_records_nothing(vendor: Vendor, double: MixpanelDouble) -> None:
    verdict = check_connection(at(vendor))
    assert verdict.works, verdict
    assert double.events == {}


def test_a_wrong_token_pauses_the_integration(vendor: Vendor) -> None:
    assert "401" in check_connection(at(vendor, "wrong")).message
    with pytest.raises(SetupError):
        send(at(vendor, "wrong"), sales(1))
