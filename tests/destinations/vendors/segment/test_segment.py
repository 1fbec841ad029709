"""Hits go on to whoever speaks Segment's protocol; what another Hitstream gets is the same hit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pytest_django import DjangoDbBlocker

from tests.destinations.samples import IDENTIFY, PAGE, SALE, SAMPLES, TRANSACTION, sample
from tests.support.live import serving
from tests.support.sample import SEED
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.segment.destination import Segment
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError
from tracking.models import Hit, Integration, Token

#: Equal where a hit was forwarded; its context, where what is missing is filled in, and the wire's
#: own fields apart.
SAME = ("hit_id", "type", "name", "user_id", "anonymous_id", "email_hash", "sent_at", "occurred_at")


def make(url: str, key: str = "key", receiver: str = "hitstream") -> Segment:
    return Segment({"receiver": receiver, "url": url, "write_key": key})


def deliver(destination: Segment, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def message(event: Event, receiver: str) -> Any:
    return json.loads(make("http://x", receiver=receiver).request([event]).body)["batch"][0]


def test_segment_is_told_the_event_s_time_alone() -> None:
    """Beside a sentAt it would add the time that the hit waited here."""
    waited = replace(SAMPLES["page"], occurred_at=datetime(2026, 11, 24, 9, tzinfo=UTC))
    sent = message(waited, "segment")
    assert sent["timestamp"] == "2026-11-24T09:00:00Z"
    assert not {"sentAt", "originalTimestamp"} & sent.keys()


@pytest.mark.parametrize("receiver", ["rudderstack", "jitsu", "hitstream"])
def test_others_keep_the_timestamp_beside_the_original_one(receiver: str) -> None:
    corrected = SALE.occurred_at - timedelta(hours=3)
    sent = message(replace(SAMPLES["identify"], occurred_at=corrected), receiver)
    assert sent["timestamp"] == "2026-11-24T07:56:10.723000Z"
    assert sent["originalTimestamp"] == IDENTIFY["timestamp"]
    assert sent["sentAt"] == "2026-11-24T10:56:10.723000Z"


def test_a_hit_that_came_without_its_type_and_id_gets_them() -> None:
    payload = {k: v for k, v in PAGE.items() if k not in {"type", "messageId"}}
    sent = message(replace(SAMPLES["page"], payload=payload, hit_id="made"), "jitsu")
    assert (sent["type"], sent["messageId"]) == ("page", "made")


def test_the_sender_s_address_is_told_unless_the_hit_tells_one() -> None:
    assert message(SALE, "segment")["context"]["ip"] == "198.51.100.9"
    assert message(SAMPLES["page"], "segment")["context"]["ip"] == "203.0.113.7"
    dropped = message(replace(SAMPLES["page"], ip=None, user_agent=""), "segment")
    assert dropped["context"] == PAGE["context"]


def test_a_context_of_null_is_as_good_as_none() -> None:
    event = sample(0, {"type": "track", "event": "X", "context": None}, name="X", ip="198.51.100.9")
    assert message(event, "segment")["context"]["ip"] == "198.51.100.9"


def test_a_track_event_without_a_name_is_skipped() -> None:
    assert make("http://x").skip(replace(SALE, name="")) == "A track event requires a name."
    assert make("http://x").skip(SAMPLES["identify"]) == ""


def test_who_is_refused_alone_is_refused_alone(vendor: Vendor) -> None:
    results = [{"index": 1, "code": "hit_too_large", "message": "Too large."}, {"index": 9}, 7]
    vendor.answer = reply(200, json.dumps({"success": True, "results": results}).encode())
    receipt = deliver(make(vendor.url), [SALE, SAMPLES["page"], SAMPLES["identify"]])
    assert receipt.refused == {SAMPLES["page"].id: "hit_too_large: Too large."}


def test_an_answer_that_is_too_long_to_be_read_takes_nothing_for_delivered(vendor: Vendor) -> None:
    """The batch is then halved until each answer can be read."""
    results = [{"index": 1, "code": "x", "message": "m" * 70_000}]
    vendor.answer = reply(200, json.dumps({"success": True, "results": results}).encode())
    with pytest.raises(PermanentError, match="too long"):
        deliver(make(vendor.url), [SALE, SAMPLES["page"]])


def test_verify_says_what_an_empty_batch_does_not_prove(vendor: Vendor) -> None:
    verdict = check_connection(make(vendor.url, receiver="segment"))
    assert verdict.works
    assert "does not prove the write key" in verdict.message
    assert vendor.received[0].json == {"batch": []}


@pytest.fixture(scope="module")
def server(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("forwarding") / "log") as port:
        yield f"http://127.0.0.1:{port}"


LATE = {
    **PAGE,
    "messageId": "m-late",
    "sentAt": "2026-11-24T11:56:10.723Z",
    "context": {"ip": "::2"},
}


@pytest.mark.django_db(transaction=True)
def test_another_hitstream_stores_the_same_hits(server: str) -> None:
    (here, own), (there, secret) = (Token.objects.issue(name) for name in ("here", "there"))
    for path, body in [
        ("/track", SEED),
        ("/track", TRANSACTION),
        ("/v1/identify", IDENTIFY),
        ("/v1/page", {k: v for k, v in PAGE.items() if k != "messageId"}),
        ("/v1/page", LATE),
    ]:
        answer = requests.post(server + path, json=body, auth=(own, ""), timeout=10)
        assert answer.status_code < 300, answer.text
    integration = Integration(token=here, name="onwards", destination="segment")
    ids = list(Hit.objects.filter(token=here).values_list("id", flat=True))
    events = [*Hit.objects.events(ids, integration).values()]
    destination = make(server, secret)
    assert deliver(destination, events).refused == {}
    assert deliver(destination, events).refused == {}
    assert Hit.objects.filter(token=there).count() == len(events) == 5
    for event in events:
        hit = Hit.objects.get(token=there, hit_id=event.hit_id)
        assert {name: getattr(hit, name) for name in SAME} == {
            name: getattr(event, name) for name in SAME
        }
        for name in ("properties", "traits", "integrations"):
            if name in event.payload:
                assert hit.payload[name] == event.payload[name]
        assert event.context.items() <= hit.payload["context"].items()


@pytest.mark.django_db(transaction=True)
def test_what_another_hitstream_refuses_alone_is_refused_alone(server: str) -> None:
    there, secret = Token.objects.issue("there")
    large = replace(SAMPLES["page"], payload={**PAGE, "properties": {"text": "x" * 74_000}})
    receipt = deliver(make(server, secret), [SALE, large, SAMPLES["identify"]])
    assert list(receipt.refused) == [large.id]
    assert receipt.refused[large.id].startswith("hit_too_large: ")
    stored = Hit.objects.filter(token=there).values_list("hit_id", flat=True)
    assert sorted(stored) == ["m-identify", "order-1"]


@pytest.mark.django_db(transaction=True)
def test_another_hitstream_says_whether_the_key_is_right(server: str) -> None:
    _, secret = Token.objects.issue("there")
    assert check_connection(make(server, secret)).message == "The write key is valid."
    verdict = check_connection(make(server, "wrong"))
    assert not verdict.works
    assert "401" in verdict.message
