"""TikTok's standard events, hashed persons, and errors that the code of a response tells."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.samples import SALE, sample
from tests.destinations.strict_hits import catalogue_events
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.tiktok.destination import TikTok
from tracking.destinations.vendors.tiktok.events import PHONE
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

CONFIG = {"pixel_code": "C4ABC", "access_token": "tiktok-token"}
TIKTOK = TikTok(CONFIG)
SEARCH = {
    "type": "track",
    "properties": {"query": "boots"},
    "context": {"page": {"url": "https://shop.example/"}},
}


def told(event: Event) -> Any:
    assert TIKTOK.skip(event) == ""
    return json.loads(TIKTOK.request([event]).body)["data"][0]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_contact_information_is_hashed_and_the_rest_is_not() -> None:
    user = told(SALE)["user"]
    assert user["email"] == sha("john.doe@example.com")
    assert user["phone"] == sha("+16505550100")
    assert user["external_id"] == [sha("u1"), sha("a1")]
    assert (user["ip"], user["first_name"]) == ("198.51.100.9", sha("john"))
    assert "john" not in json.dumps(told(SALE)).lower()


def test_a_phone_number_and_a_place_are_whole_or_left_out() -> None:
    address = {"country": "USA", "state": "California"}
    user = {**SALE.payload["event"]["user"], "phone": "0170 1234567", "address": address}
    event = replace(
        SALE, payload={**SALE.payload, "event": {**SALE.payload["event"], "user": user}}
    )
    sent = told(event)["user"]
    assert (sent["country"], sent["state"], "phone" in sent) == ("us", "ca", False)
    assert TIKTOK.left_out(event)["traits", "phone"] == PHONE
    german = replace(event, payload=json.loads(json.dumps(event.payload).replace("USA", "")))
    config = {**CONFIG, "default_country": "DE"}
    body = json.loads(TikTok(config).request([german]).body)["data"][0]
    assert body["user"]["phone"] == sha("+491701234567")


@pytest.mark.parametrize(
    ("options", "consent", "config", "limited"),
    [
        ({}, {}, {}, None),
        ({}, {"ad_user_data": "denied"}, {}, True),
        ({}, {}, {"limited_data_use": True}, True),
        ({"limited_data_use": False}, {"ad_user_data": "denied"}, {}, None),
    ],
)
def test_the_consent_limits_the_use_of_the_event(
    options: dict[str, Any], consent: dict[str, Any], config: dict[str, Any], limited: Any
) -> None:
    context = {**SALE.payload["context"], "consent": consent}
    event = replace(SALE, payload={**SALE.payload, "context": context}, options=options)
    body = json.loads(TikTok({**CONFIG, **config}).request([event]).body)["data"][0]
    assert body.get("limited_data_use") is limited
    skipping = TikTok({**CONFIG, "denied": "skip"})
    assert bool(skipping.skip(event)) == (consent != {})


def test_the_catalogue_goes_under_tiktoks_names() -> None:
    names = {e.name: told(e)["event"] for e in catalogue_events() if not TIKTOK.skip(e)}
    assert names["Order Completed"] == names["Completed Transaction"] == "Purchase"
    assert names["Product Added"] == names["Added Product"] == "AddToCart"
    assert names["Subscribed"] == "Subscribe"
    assert "Viewed Page" not in names


def test_an_event_without_a_page_is_skipped_with_a_reason() -> None:
    assert "URL of the page" in TIKTOK.skip(sample(0, {}, name="Registered"))


def test_another_event_is_sent_only_if_asked_for() -> None:
    danced = replace(SALE, name="Danced")
    assert TIKTOK.skip(danced) == "TikTok has no standard event for it."
    assert TikTok({**CONFIG, "custom_events": True}).skip(danced) == ""


def test_a_search_term_has_both_names_and_goods_are_listed_by_their_ids() -> None:
    searched = told(replace(SALE, name="Searched Products", payload=SEARCH))["properties"]
    assert searched["query"] == searched["search_string"] == "boots"
    assert told(SALE)["properties"]["content_ids"] == ["p1", "p2"]


def deliver(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, code: int, status: int = 200
) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await TIKTOK.deliver([SALE], client)

    monkeypatch.setattr(TikTok, "hosts", {"": vendor.url})
    vendor.answer = reply(status, json.dumps({"code": code, "message": "said so"}).encode())
    return asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 40105, SetupError),
        (200, 40001, SetupError),
        (200, 40100, RetryableError),
        (200, 50000, RetryableError),
        (200, 40002, PermanentError),
        (401, 40100, RetryableError),
        (401, 40104, SetupError),
    ],
)
def test_the_code_says_what_to_do_whatever_the_status(
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: int,
    kind: type[DeliveryError],
) -> None:
    with pytest.raises(kind) as caught:
        deliver(vendor, monkeypatch, code, status)
    assert type(caught.value) is kind
    assert str(caught.value) == f"TikTok answered {code}: said so"


def test_the_good_codes_are_deliveries(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 20001):
        assert deliver(vendor, monkeypatch, code).refused == {}


def test_a_trial_sends_no_event(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TikTok, "hosts", {"": vendor.url})
    vendor.answer = reply(200, b'{"code": 40002, "message": "data is missing"}')
    assert check_connection(TIKTOK).works
    assert vendor.received[0].json["data"] == []
    vendor.answer = reply(200, b'{"code": 40105, "message": "Access token is incorrect"}')
    assert "40105" in check_connection(TIKTOK).message
