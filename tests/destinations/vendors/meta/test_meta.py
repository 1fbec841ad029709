"""Meta's standard events, hashed persons, and errors that come by 400."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.destinations.samples import SALE, SAMPLES, sample
from tests.destinations.strict_hits import catalogue_events
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.meta.destination import MetaConversions
from tracking.destinations.vendors.meta.events import (
    COUNTRY,
    NOT_PLAIN,
    OWN,
    PERSONAL,
    PHONE,
    TAKEN,
)
from tracking.events import Event
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

CONFIG = {"pixel_id": "123456", "access_token": "meta-token"}
META = MetaConversions(CONFIG)


def told(event: Event, **config: Any) -> Any:
    destination = MetaConversions({**CONFIG, **config})
    assert destination.skip(event) == ""
    return json.loads(destination.request([event]).body)["data"][0]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_contact_information_is_hashed_and_the_rest_is_not() -> None:
    data = told(SALE)["user_data"]
    assert data["em"] == [sha("john.doe@example.com")]
    assert data["ph"] == [sha("16505550100")]
    assert (data["fn"], data["ln"]) == ([sha("john")], [sha("doe")])
    assert data["external_id"] == [sha("u1"), sha("a1")]
    assert data["client_ip_address"] == "198.51.100.9"
    assert data["client_user_agent"].startswith("Mozilla/5.0")
    assert "john" not in json.dumps(told(SALE)).lower()


def test_the_catalogue_goes_under_metas_names() -> None:
    names = {e.name: told(e)["event_name"] for e in catalogue_events() if not META.skip(e)}
    assert names["Order Completed"] == names["Completed Transaction"] == "Purchase"
    assert names["Product Viewed"] == names["Viewed Product Detail"] == "ViewContent"
    assert names["Started Order"] == "InitiateCheckout"
    assert names["Viewed Page"] == "PageView"
    assert "Removed Product" not in names


def test_a_checkout_counts_its_pieces() -> None:
    checkout = next(e for e in catalogue_events() if e.name == "Started Order")
    data = told(checkout)["custom_data"]
    assert (data["num_items"], data["content_ids"], data["value"]) == (2, ["p1"], 165)


def test_another_event_is_sent_only_if_asked_for() -> None:
    danced = replace(SALE, name="Danced")
    assert META.skip(danced) == "Meta has no standard event for it."
    assert told(danced, custom_events=True)["event_name"] == "Danced"
    asked = MetaConversions({**CONFIG, "custom_events": True})
    assert asked.skip(replace(SALE, name="x" * 50)) == ""
    assert "up to 50 characters" in asked.skip(replace(SALE, name="x" * 51))


def test_a_visit_without_a_page_is_not_called_a_website() -> None:
    page = told(SAMPLES["page"])
    assert (page["action_source"], "event_source_url" in page) == ("website", True)
    nowhere = sample(0, {"event": {"name": "Registered"}}, name="Registered")
    assert told(nowhere)["action_source"] == "other"


def test_the_browsers_own_event_id_is_kept() -> None:
    assert told(replace(SALE, options={"eventId": "e1"}))["event_id"] == "e1"


def test_what_meta_would_refuse_is_skipped_with_a_reason() -> None:
    """One such event would refuse its whole batch."""
    old = replace(SALE, occurred_at=SALE.received_at - timedelta(days=8))
    assert "7 days" in META.skip(old)
    nobody = sample(0, {}, name="Registered", user_id="", anonymous_id="", ip=None)
    assert "too little" in META.skip(nobody)
    cheap = sample(0, {"event": {"transaction": {"orderId": "o"}}}, name="Completed Transaction")
    assert "currency" in META.skip(cheap)


def person(**user: Any) -> Event:
    return sample(0, {"event": {"name": "Registered", "user": user}}, name="Registered")


def test_a_phone_number_and_a_place_are_whole_or_left_out() -> None:
    event = person(phone="0170 1234567", address={"country": "USA", "state": "California"})
    data = told(event)["user_data"]
    assert (data["country"], data["st"]) == ([sha("us")], [sha("ca")])
    assert "ph" not in data
    german = person(phone="+49 (0)170 1234567 ext. 12", country="Atlantis")
    assert told(german)["user_data"]["ph"] == [sha("491701234567")]
    assert META.left_out(german) == {("traits", "country"): COUNTRY}
    national = person(phone="0170 1234567", plan="pro")
    assert META.left_out(national) == {("traits", "phone"): PHONE, ("traits", "plan"): PERSONAL}
    assert told(national, default_country="DE")["user_data"]["ph"] == [sha("491701234567")]


LIMITED = {"data_processing_options": ["LDU"]}


@pytest.mark.parametrize(
    ("options", "consent", "config", "expected"),
    [
        ({}, {}, {}, {}),
        ({}, {"ad_user_data": "granted"}, {"limited_data_use": True}, {}),
        ({}, {"ad_user_data": "denied"}, {}, LIMITED),
        ({}, {}, {"limited_data_use": True}, LIMITED),
        ({"limitedDataUse": True}, {"ad_user_data": "granted"}, {}, LIMITED),
        ({"limitedDataUse": False}, {"ad_user_data": "denied"}, {}, {}),
        ({}, {"ad_personalization": "denied"}, {}, {"opt_out": True}),
        ({"optOut": True}, {}, {}, {"opt_out": True}),
    ],
)
def test_the_consent_limits_the_use_of_the_event(
    options: dict[str, Any], consent: dict[str, Any], config: dict[str, Any], expected: Any
) -> None:
    event = person(email="a@b.example")
    payload = {**event.payload, "context": {"consent": consent}}
    sent = told(replace(event, payload=payload, options=options), **config)
    flags = {"data_processing_options", "opt_out"}
    assert {name: value for name, value in sent.items() if name in flags} == expected


def test_without_consent_an_event_is_skipped_if_the_integration_says_so() -> None:
    event = person(email="a@b.example")
    denied = {**event.payload, "context": {"consent": {"ad_user_data": "denied"}}}
    destination = MetaConversions({**CONFIG, "denied": "skip"})
    assert destination.skip(event) == ""
    assert destination.skip(replace(event, payload=denied)) == (
        "The visitor denied consent to advertising."
    )


def test_own_properties_are_sent_only_if_asked_for() -> None:
    transaction = {"orderId": "o", "total": 5, "currency": "EUR", "isFirst": True}
    contact = {"contactInfo": {"email": "c@d.example"}}
    own = {"colour": "red", "value": "other", "tags": ["x"], "none": None}
    event = sample(
        0,
        {"event": {"name": "Added Product", "transaction": transaction | contact, **own}},
        name="Added Product",
    )
    assert "colour" not in told(event)["custom_data"]
    lost = META.left_out(event)
    assert lost["properties", "colour"] == lost["properties", "tags", "0"] == OWN
    data = told(event, custom_properties=True)["custom_data"]
    assert (data["colour"], data["transaction_isFirst"], data["value"]) == ("red", True, 5)
    assert "c@d.example" not in json.dumps(data)
    rest = MetaConversions({**CONFIG, "custom_properties": True}).left_out(event)
    assert {path[1:]: rule for path, rule in rest.items()} == {
        ("value",): TAKEN,
        ("tags", "0"): NOT_PLAIN,
        ("none",): NOT_PLAIN,
    }


def test_the_test_code_is_sent_beside_the_events() -> None:
    body = json.loads(MetaConversions({**CONFIG, "test_event_code": "TEST1"}).request([SALE]).body)
    assert body["test_event_code"] == "TEST1"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 190, "message": "Invalid OAuth access token."}, SetupError),
        ({"code": 200, "message": "Permissions error"}, SetupError),
        ({"code": 100, "error_subcode": 33, "message": "does not exist"}, SetupError),
        ({"code": 4, "message": "too many calls"}, RetryableError),
        ({"code": 2, "is_transient": True, "message": "down"}, RetryableError),
        ({"code": 100, "message": "Invalid parameter"}, PermanentError),
    ],
)
def test_an_errors_code_says_what_to_do(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, error: Any, kind: type[DeliveryError]
) -> None:
    async def run() -> None:
        async with Client() as client:
            await META.deliver([SALE], client)

    monkeypatch.setattr(MetaConversions, "hosts", {"": vendor.url})
    vendor.answer = reply(400, json.dumps({"error": error}).encode())
    with pytest.raises(kind) as caught:
        asyncio.run(run())
    assert type(caught.value) is kind
    assert error["message"] in str(caught.value)


def test_a_trial_only_reads(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MetaConversions, "hosts", {"": vendor.url})
    assert check_connection(META).works
    assert vendor.received[0].line.startswith("GET /hook/123456?fields=id&")
