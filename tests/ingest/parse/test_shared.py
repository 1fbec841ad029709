"""What a batch holds, and what it says once for all, is taken as what comes alone is."""

import json
from typing import Any

import pytest

from tests.support.hits import Send, hit
from tracking.models import Hit

EVENT = {"type": "track", "event": "Ordered", "userId": "u1"}
ENDS = ("ud800", "ud801")


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"deeper": value}
    return value


@pytest.mark.parametrize("name", ["context", "integrations"])
@pytest.mark.parametrize("text", [r"\u0000", r"\ud800"])
def test_what_jsonb_cannot_hold_is_replaced(send: Send, name: str, text: str) -> None:
    body = f'{{"batch": [{json.dumps(EVENT)}], "{name}": {{"note": "a{text}"}}}}'
    assert send(body.encode(), path="/v1/batch").status_code == 200
    assert Hit.objects.get().payload[name] == {"note": "a\ufffd"}


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800", r"\uDFFF"])
def test_nor_does_it_cost_a_batch(send: Send, text: str) -> None:
    body = f'{{"batch": [{json.dumps(EVENT)}, {{"type": "page", "userId": "a{text}"}}]}}'
    assert send(body.encode(), path="/v1/batch").json() == {"success": True}
    body = f'{{"hits": [{{"event": {{}}, "userId": "b{text}"}}], "{text}": "{text}"}}'
    assert send(body.encode(), path="/track/batch").json()["stored"] == 1
    stored = set(Hit.objects.values_list("user_id", flat=True))
    assert stored == {"u1", "a\ufffd", "b\ufffd"}


@pytest.mark.parametrize(
    ("alone", "batch", "body", "name"),
    [
        ("/track", "/track/batch", '{{"hits": [{}]}}', "hitId"),
        ("/v1/track", "/v1/batch", '{{"note": "\\ud800", "batch": [{}]}}', "messageId"),
    ],
)
def test_ids_that_differ_in_what_is_replaced_are_two(
    send: Send, alone: str, batch: str, body: str, name: str
) -> None:
    event = json.dumps({**EVENT, "event": {} if name == "hitId" else "Ordered"})
    first, second = (f'{event[:-1]}, "{name}": "a\\{end}", "n": "{end[1:]}"}}' for end in ENDS)
    assert send(first.encode(), path=alone).status_code < 300
    answer = send(body.format(f"{first},  {second}").encode(), path=batch)
    assert answer.status_code == 200
    stored = [(hit.hit_id, hit.payload["n"]) for hit in Hit.objects.order_by("pk")]
    assert stored == [("a\ufffd", end[1:]) for end in ENDS]


def test_nothing_shared_is_deeper_than_the_limit(send: Send) -> None:
    for levels, status in ((100, 200), (101, 400)):
        body = {"batch": [EVENT], "context": nested(levels)}
        assert send(body, path="/v1/batch").status_code == status


def test_nothing_shared_is_as_good_as_null(send: Send) -> None:
    body = {"batch": [EVENT], "context": None, "integrations": None, "sentAt": None}
    assert send(body, path="/v1/batch").status_code == 200
    assert Hit.objects.get().payload == EVENT


def test_what_is_shared_must_be_an_object(send: Send) -> None:
    refused = send({"batch": [EVENT], "context": "none"}, path="/v1/batch")
    assert (refused.status_code, refused.json()["code"]) == (400, "batch_invalid")


@pytest.mark.parametrize("sent_at", ["", 0, False, []])
def test_an_empty_sent_at_is_no_time(send: Send, sent_at: Any) -> None:
    assert send({**EVENT, "sentAt": sent_at}, path="/v1/track").status_code == 200
    stored = Hit.objects.get()
    assert (stored.clock, stored.sent_at) == ("unreadable", stored.received_at)
    assert stored.payload["sentAt"] == sent_at
    refused = send({**hit(), "sentAt": sent_at})
    assert (refused.status_code, refused.json()["code"]) == (400, "field_invalid")
