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
