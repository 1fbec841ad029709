"""Amplitude takes what we send, and our receipts name what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.destinations.judge import post, send, serve
from tests.destinations.samples import SAMPLES, sales
from tests.destinations.strict_hits import catalogue_events, hits, more_sales
from tests.destinations.vendors.amplitude.strict import AmplitudeDouble
from tests.support.sizes import examples
from tests.support.vendor import Vendor
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.vendors.amplitude.destination import Amplitude
from tracking.events import Event
from tracking.exceptions import RetryableError, SetupError


@pytest.fixture
def double() -> AmplitudeDouble:
    return AmplitudeDouble("amplitude-key")


@pytest.fixture
def vendor(double: AmplitudeDouble) -> Iterator[Vendor]:
    with serve(double) as vendor:
        yield vendor


def at(vendor: Vendor, key: str = "amplitude-key") -> Amplitude:
    class Here(Amplitude):
        hosts = {"us": vendor.url}  # noqa: RUF012

    return Here({"api_key": key, "region": "us"})


def test_it_takes_the_samples(vendor: Vendor, double: AmplitudeDouble) -> None:
    receipts = send(at(vendor), [*SAMPLES.values(), *more_sales(150), *catalogue_events()])
    assert all(receipt.refused == {} for receipt in receipts)
    assert len(double.events) == 4 + 150 + len(catalogue_events())
    assert double.events[str(SAMPLES["transaction"].id)]["revenue"] == 169.8


def test_a_refund_is_negative_revenue(vendor: Vendor, double: AmplitudeDouble) -> None:
    refund = next(e for e in catalogue_events() if e.name == "Order Refunded")
    send(at(vendor), [refund])
    assert double.events[str(refund.id)]["revenue"] == -159.8


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(hits(), max_size=4, unique_by=lambda event: event.id))
def test_it_takes_whatever_is_sent(vendor: Vendor, events: list[Event]) -> None:
    for receipt in send(at(vendor), events):
        assert receipt.refused == {}


def test_a_repeated_event_is_kept_once(vendor: Vendor, double: AmplitudeDouble) -> None:
    for _ in range(2):
        send(at(vendor), sales(5))
    assert len(double.events) == 5


def test_the_receipt_names_what_it_refused_and_the_rest_arrives(
    vendor: Vendor, double: AmplitudeDouble
) -> None:
    good, bad, other = sales(3)
    bad = replace(bad, name="[Amplitude] Revenue")
    receipt = post(at(vendor), [[good, bad, other]])[0]
    assert list(receipt.refused) == [bad.id]
    assert receipt.refused[bad.id] == "event_type is invalid"
    assert set(double.events) == {str(good.id), str(other.id)}


def test_a_batch_of_refused_events_is_no_failure(vendor: Vendor, double: AmplitudeDouble) -> None:
    bad = [replace(event, user_id="", anonymous_id="") for event in sales(2)]
    receipt = post(at(vendor), [bad])[0]
    assert set(receipt.refused) == {event.id for event in bad}
    assert len(vendor.received) == 1


def test_a_silenced_device_is_told_apart(vendor: Vendor, double: AmplitudeDouble) -> None:
    good, bad = sales(2)
    bad = replace(bad, anonymous_id="loud")
    double.silenced.add("loud")
    receipt = post(at(vendor), [[good, bad]])[0]
    assert receipt.refused == {bad.id: "Amplitude has silenced this device_id"}
    assert set(double.events) == {str(good.id)}


def test_a_busy_user_is_left_in_peace_for_a_while(vendor: Vendor, double: AmplitudeDouble) -> None:
    double.busy.add("u1")
    with pytest.raises(RetryableError) as caught:
        send(at(vendor), sales(2))
    assert caught.value.retry_after == 30


def test_a_trial_records_nothing(vendor: Vendor, double: AmplitudeDouble) -> None:
    verdict = check_connection(at(vendor))
    assert verdict.works, verdict
    assert double.events == {}


def test_a_wrong_key_pauses_the_integration(vendor: Vendor) -> None:
    verdict = check_connection(at(vendor, "wrong-key"))
    assert not verdict.works
    assert "wrong-key" not in f"{verdict.message} {verdict.said}"
    with pytest.raises(SetupError) as caught:
        send(at(vendor, "wrong-key"), sales(1))
    assert "wrong-key" not in str(caught.value)
    assert "wrong-key" not in repr(caught.value.exchange.said)  # type: ignore[union-attr]
