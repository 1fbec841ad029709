"""POST /track/batch: each hit has its own result, and a bad one costs no other."""

import gzip
import json
from typing import Any

import pytest

from tests.support.hits import basic, hit
from tests.support.ledger import counts
from tests.support.posting import post
from tracking.ingest.write.refusals import refusals
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken

JSON, NDJSON = "application/json", "application/x-ndjson"


def send(secret: ApiToken, body: Any, content_type: str = JSON, **headers: str) -> Any:
    headers = {"authorization": basic(secret), **headers}
    return post("/track/batch", body, content_type=content_type, **headers)


def lines(hits: list[Any]) -> bytes:
    return b"\n".join(h if isinstance(h, bytes) else json.dumps(h).encode() for h in hits)


#: Seven ways to be wrong, by the code that names each.
BAD: dict[str, Any] = {
    "event_required": {"userId": "u1"},
    "user_required": {"event": {"name": "x"}},
    "field_invalid": hit(sentAt="yesterday"),
    "field_too_long": hit(hitId="x" * 256),
    "json_not_object": [1, 2],
    "json_too_deep": hit(deep=json.loads("[" * 120 + "]" * 120)),
    "hit_too_large": hit(pad="x" * 65_536),
}


def padded(number: int) -> dict[str, Any]:
    """A good hit of 300 bytes."""
    made = hit(hitId=f"h{number}", pad="")
    return {**made, "pad": "x" * (300 - len(json.dumps(made)))}


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_of_a_thousand_hits_with_seven_bad_ones_the_others_are_stored(
    token: Token, secret: ApiToken, content_type: str
) -> None:
    hits: list[Any] = [padded(number) for number in range(1000)]
    assert {len(json.dumps(each)) for each in hits} == {300}
    places = {3: "event_required", 100: "user_required", 101: "field_invalid"}
    places |= {499: "field_too_long", 500: "json_not_object", 777: "json_too_deep"}
    places |= {999: "hit_too_large"}
    for place, code in places.items():
        hits[place] = BAD[code]
    body = {"hits": hits} if content_type == JSON else lines(hits)
    answer = send(secret, body, content_type)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["stored"], said["duplicate"], said["refused"]) == (993, 0, 7)
    refused = {r["index"]: r for r in said["results"] if r["status"] == "refused"}
    assert {index: result["code"] for index, result in refused.items()} == places
    assert all(result["message"].endswith(".") for result in refused.values())
    stored = {r["index"]: r["hitId"] for r in said["results"] if r["status"] == "stored"}
    assert stored == {n: f"h{n}" for n in range(1000) if n not in places}
    assert set(Hit.objects.values_list("hit_id", flat=True)) == set(stored.values())
    refusals.write()
    assert counts(token=token) == {"accepted": 993, "refused": 7}


def test_a_broken_line_costs_no_other(secret: ApiToken) -> None:
    answer = send(secret, lines([hit(hitId="a"), b"{broken", b"", hit(hitId="b"), b"\xff"]), NDJSON)
    assert [r["status"] for r in answer.json()["results"]] == [
        *("stored", "refused", "stored", "refused")
    ]
    assert Hit.objects.count() == 2


def test_repeated_hits_are_duplicates_within_a_batch_and_after(secret: ApiToken) -> None:
    batch = {"hits": [hit(hitId="a"), hit(hitId="a"), hit(hitId="b")]}
    first = [r["status"] for r in send(secret, batch).json()["results"]]
    assert first == ["stored", "duplicate", "stored"]
    again = send(secret, batch).json()
    assert (again["stored"], again["duplicate"]) == (0, 3)
    assert Hit.objects.count() == 2


def test_a_hit_without_an_id_is_told_its_id(secret: ApiToken) -> None:
    (result,) = send(secret, {"hits": [hit()]}).json()["results"]
    assert result == {"index": 0, "hitId": str(Hit.objects.get().pk), "status": "stored"}


def test_if_nothing_can_be_stored_the_answer_is_400_and_says_why(secret: ApiToken) -> None:
    answer = send(secret, {"hits": [BAD["event_required"], BAD["user_required"]]})
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "nothing_stored")
    assert [r["code"] for r in said["results"]] == ["event_required", "user_required"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"hits": []}', JSON, 400, "batch_empty"),
        (b"\n \n", NDJSON, 400, "batch_empty"),
        (b" ", JSON, 400, "json_invalid"),
        (b'{"hits": 1}', JSON, 400, "batch_invalid"),
        (b"[]", JSON, 400, "batch_invalid"),
        (b'{"hits": [', JSON, 400, "json_invalid"),
        (b"[" * 100_000, JSON, 400, "batch_invalid"),
        (b'{"hits": ' + b"[" * 100_000, JSON, 400, "json_too_deep"),
        (b'{"hits": [{}]}', "text/plain", 415, "content_type_unsupported"),
        (b"x" * 512_001, JSON, 400, "body_too_large"),
        (b'{"hits": [' + b"1," * 2500 + b"1]}", JSON, 400, "batch_too_large"),
        (b"1\n" * 2501, NDJSON, 400, "batch_too_large"),
    ],
)
def test_what_is_no_batch_is_refused(
    secret: ApiToken, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = send(secret, body, content_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Hit.objects.exists()


def test_a_gzip_bomb_is_refused(secret: ApiToken) -> None:
    body = gzip.compress(lines([hit()] * 200_000))
    assert len(body) < 512_000
    answer = send(secret, body, NDJSON, content_encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")


def test_a_gzipped_batch_of_half_a_megabyte_is_taken(secret: ApiToken) -> None:
    hits = [padded(number) for number in range(1500)]
    body = gzip.compress(lines(hits))
    answer = send(secret, body, NDJSON, content_encoding="gzip")
    assert answer.json()["stored"] == Hit.objects.count() == 1500


@pytest.mark.parametrize("key", ["project_id", "nobody"])
def test_only_an_api_token_opens_it(token: Token, key: str) -> None:
    username = str(token.project_id) if key == "project_id" else key
    answer = post("/track/batch", b"not JSON", content_type=JSON, authorization=basic(username))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_all_hits_of_a_batch_count_for_the_rate_limit(token: Token, secret: ApiToken) -> None:
    token.rate_limit = 3
    token.save()
    codes = [send(secret, {"hits": [hit(), hit()]}).status_code for _ in range(8)]
    assert 429 in codes
    assert Hit.objects.count() == 2 * codes.count(200)
