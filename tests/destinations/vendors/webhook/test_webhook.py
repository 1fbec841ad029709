"""A receiver can trust a webhook, tell a repeated one, and read every hit digit for digit."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
import standardwebhooks

from tests.support.vendor import Vendor, reply
from tracking.destinations.transport.http import Client
from tracking.destinations.transport.recorder import MASK
from tracking.destinations.vendors.webhook.destination import Webhook
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

Events = Callable[[int], list[Event]]


def make(url: str = "https://example.com/hook", **config: Any) -> Webhook:
    return Webhook({"url": url, "signing_secret": SECRET, **config})


def deliver(webhook: Webhook, events: list[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await webhook.deliver(events, client)

    return asyncio.run(run())


def test_a_receiver_with_the_secret_verifies_it(vendor: Vendor, event: Event) -> None:
    deliver(make(vendor.url), [replace(event, name="Größe 🎉")])
    received = vendor.received[0]
    data = standardwebhooks.Webhook(SECRET).verify(received.body, received.headers)
    assert data["data"]["name"] == "Größe 🎉"
    assert received.headers["webhook-id"] == str(event.id)


def test_a_changed_body_is_not_verified(vendor: Vendor, event: Event) -> None:
    deliver(make(vendor.url), [event])
    received = vendor.received[0]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(received.body + b" ", received.headers)


def test_a_retry_has_the_same_id_and_the_same_body(events: Events) -> None:
    webhook = make(batch_size=10)
    first, second = webhook.request(events(3)), webhook.request(events(3))
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-id"] != webhook.request(events(4)).headers["webhook-id"]
    assert "." not in first.headers["webhook-id"]


def test_a_list_of_one_is_a_list(event: Event) -> None:
    body = json.loads(make(batch_size=2).request([event]).body)
    assert body["type"] == "hits"
    assert len(body["data"]) == 1


def test_big_integers_arrive_digit_for_digit(vendor: Vendor, event: Event) -> None:
    payload = {"n": 12345678901234567890123, "huge": 10**4000, "x": 0.1, "nul": "\ufffd"}
    deliver(make(vendor.url), [replace(event, payload=payload)])
    assert vendor.received[0].json["data"]["payload"] == payload
    assert b"12345678901234567890123" in vendor.received[0].body


def test_times_are_utc(event: Event) -> None:
    there = event.sent_at.astimezone(timezone(timedelta(hours=9)))
    body = json.loads(make().request([replace(event, sent_at=there)]).body)
    assert body["data"]["sentAt"] == "2019-02-21T10:56:10.723000Z"


def test_own_headers_are_sent_and_never_recorded(vendor: Vendor, event: Event) -> None:
    vendor.answer = reply(200, b"you said Bearer abcdef")
    exchange = deliver(make(vendor.url, headers={"X-Own": "Bearer abcdef"}), [event]).exchange
    assert vendor.received[0].headers["x-own"] == "Bearer abcdef"
    assert exchange.said.request_headers["X-Own"] == MASK
    assert "abcdef" not in repr(exchange)
    assert SECRET not in repr(exchange)


def test_a_refusal_is_told_in_the_receivers_words(vendor: Vendor, event: Event) -> None:
    vendor.answer = reply(422, b'{"error": "no such user"}')
    with pytest.raises(PermanentError, match="no such user"):
        deliver(make(vendor.url), [event])
