"""Rows are streamed with a token that is asked for once, and refused one by one."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.destinations.samples import SALE, sales, sample
from tests.destinations.vendors.bigquery.case import ACCOUNT, KEY
from tests.support.vendor import Received, Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport import google_auth
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.bigquery.config import BigQueryConfig
from tracking.destinations.vendors.bigquery.destination import SCHEMA, BigQuery
from tracking.destinations.vendors.bigquery.rows import describe
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

Answers = dict[str, tuple[int, Any]]
NO_TABLE = {"error": {"code": 404, "message": "Not found: Table shop-1:analytics.hits"}}


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    google_auth._tokens.clear()
    yield
    google_auth._tokens.clear()


@pytest.fixture
def bigquery(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> BigQuery:
    monkeypatch.setattr(BigQuery, "hosts", dict.fromkeys(BigQuery.hosts, vendor.url))
    return BigQuery({"service_account": ACCOUNT, "project": "shop-1", "dataset": "analytics"})


@pytest.fixture
def answer(vendor: Vendor) -> Callable[..., None]:
    """The vendor's answers by the end of the path; else 200 and {}."""

    def tell(**answers: tuple[int, Any]) -> None:
        told: Answers = {"token": (200, {"access_token": "t-1", "expires_in": 3_599}), **answers}

        def judge(request: Received, connection: socket.socket) -> None:
            status, body = told.get(last(request), (200, {}))
            reply(status, json.dumps(body).encode())(connection)

        vendor.judge = judge

    tell()
    return tell


def last(request: Received) -> str:
    return request.line.split()[1].rpartition("/")[2]


def deliver(destination: BigQuery, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def fail(destination: BigQuery) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        deliver(destination, [SALE])
    return caught.value


def decode(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_token_is_asked_for_once_with_a_signed_claim(
    bigquery: BigQuery, answer: Callable[..., None], vendor: Vendor
) -> None:
    deliver(bigquery, [SALE])
    deliver(BigQuery(bigquery.config), [SALE])
    assert [last(each) for each in vendor.received] == ["token", "insertAll", "insertAll"]
    assert vendor.received[2].headers["authorization"] == "Bearer t-1"
    form = parse_qs(vendor.received[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    assert decode(head) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    told = decode(claims)
    assert told["iss"] == "loader@shop.iam.gserviceaccount.com"
    assert told["scope"] == "https://www.googleapis.com/auth/bigquery"
    assert told["aud"] == "https://oauth2.googleapis.com/token"
    assert told["exp"] - told["iat"] == 3_600
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    signed = f"{head}.{claims}".encode()
    KEY.public_key().verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())


def test_a_token_that_is_refused_is_asked_for_anew(
    bigquery: BigQuery, answer: Callable[..., None], vendor: Vendor
) -> None:
    answer(insertAll=(401, {}))
    assert isinstance(fail(bigquery), SetupError)
    answer()
    deliver(bigquery, [SALE])
    assert [last(each) for each in vendor.received].count("token") == 2


def test_a_key_that_google_does_not_know_is_an_error_of_the_setup(
    bigquery: BigQuery, answer: Callable[..., None], vendor: Vendor
) -> None:
    answer(token=(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}))
    caught = fail(bigquery)
    assert isinstance(caught, SetupError)
    assert "Invalid JWT Signature" in str(caught)
    assertion = parse_qs(vendor.received[0].body.decode())["assertion"][0]
    assert caught.exchange is not None
    assert assertion not in str(caught.exchange.said)


def test_rows_with_errors_are_refused_and_the_others_taken(
    bigquery: BigQuery, answer: Callable[..., None]
) -> None:
    error = {"reason": "invalid", "location": "event", "message": "not JSON"}
    answer(insertAll=(200, {"insertErrors": [{"index": 1, "errors": [error]}, {"index": 7}]}))
    many = sales(3)
    assert deliver(bigquery, many).refused == {many[1].id: "invalid event: not JSON"}


def test_an_answer_too_long_to_be_read_takes_no_row_for_delivered(
    bigquery: BigQuery, answer: Callable[..., None]
) -> None:
    error = {"reason": "invalid", "location": "event", "message": "x" * 200}
    rows = [{"index": place, "errors": [error]} for place in range(500)]
    answer(insertAll=(200, {"insertErrors": rows}))
    assert isinstance(fail(bigquery), PermanentError)


def test_a_property_called_name_does_not_replace_the_event_s() -> None:
    event = sample(0, {"event": "X", "properties": {"name": "John", "a": 1}}, name="X")
    said = json.loads(describe(event)["event"])
    assert said == {"name": "X", "a": 1, "properties": {"name": "John"}}


def test_a_row_that_was_left_out_for_another_s_sake_comes_again(
    bigquery: BigQuery, answer: Callable[..., None]
) -> None:
    error = {"reason": "stopped", "message": ""}
    answer(insertAll=(200, {"insertErrors": [{"index": 0, "errors": [error]}]}))
    assert isinstance(fail(bigquery), RetryableError)


def test_a_table_that_is_not_there_is_made(
    bigquery: BigQuery, answer: Callable[..., None], vendor: Vendor
) -> None:
    answer(insertAll=(404, NO_TABLE))
    caught = fail(bigquery)
    assert isinstance(caught, RetryableError)
    assert caught.retry_after == 60.0
    made = vendor.received[-1]
    assert last(made) == "tables"
    assert [field["name"] for field in made.json["schema"]["fields"]] == list(SCHEMA)
    assert made.json["timePartitioning"] == {"type": "DAY", "field": "receivedAt"}
    answer(insertAll=(404, NO_TABLE), tables=(403, {}))
    assert isinstance(fail(bigquery), SetupError)
    answer(insertAll=(404, {"error": {"message": "Not found: Dataset shop-1:analytics"}}))
    assert isinstance(fail(bigquery), SetupError)


def test_a_quota_passes(bigquery: BigQuery, answer: Callable[..., None]) -> None:
    answer(insertAll=(403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}))
    assert isinstance(fail(bigquery), RetryableError)
    answer(insertAll=(403, {"error": {"errors": [{"reason": "accessDenied"}]}}))
    assert isinstance(fail(bigquery), SetupError)


def test_verify_asks_for_the_table_and_makes_none(
    bigquery: BigQuery, answer: Callable[..., None], vendor: Vendor
) -> None:
    answer(hits=(404, NO_TABLE))
    assert "created with the first hit" in check_connection(bigquery).message
    answer(hits=(200, {"schema": {"fields": [{"name": "event"}]}}))
    assert "lacks the columns user, context" in check_connection(bigquery).message
    assert {each.line.split()[0] for each in vendor.received if last(each) != "token"} == {"GET"}


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"private_key": "x"}'])
def test_what_is_no_key_is_refused_untold(text: str) -> None:
    form = BigQueryConfig({"service_account": text, "project": "shop-1", "dataset": "d"})
    assert list(form.errors) == ["service_account"]
    assert text not in str(form.errors["service_account"])
