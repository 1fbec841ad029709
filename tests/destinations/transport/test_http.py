"""Whatever a vendor does, a request ends in time, keeps little, tells no secret and says why."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.destinations.conftest import ask, fail, send
from tests.support.vendor import (
    Answer,
    Vendor,
    drip,
    listen,
    pour,
    reply,
    stall,
)
from tracking.destinations.transport.http import RESPONSE_LIMIT, Client, read_retry_after
from tracking.destinations.transport.recorder import BODY_LIMIT
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_a_success(vendor: Vendor, status: int) -> None:
    vendor.answer = reply(status, b"")
    response = send(ask(vendor.url))
    response.raise_for_status()
    assert response.exchange.status == status
    assert vendor.received[0].body == b'{"a":1}'


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ([301, 302, 303, 307, 308], SetupError),
        ([401, 403, 404, 410], SetupError),
        ([408, 425, 429, 500, 502, 503, 504, 599], RetryableError),
        ([400, 405, 409, 413, 415, 422, 451], PermanentError),
    ],
)
def test_each_status_means_one_error(
    vendor: Vendor, statuses: list[int], error: type[DeliveryError]
) -> None:
    for status in statuses:
        vendor.answer = reply(status, b"so says\n the vendor", Location="/elsewhere")
        caught = fail(ask(vendor.url))
        assert type(caught) is error, status
        assert str(status) in str(caught)
        assert "/elsewhere" in str(caught) or "so says the vendor" in str(caught)
        assert caught.exchange
        assert caught.exchange.status == status


def test_an_answer_without_words_ends_the_sentence(vendor: Vendor) -> None:
    for status in (500, 401, 422):
        vendor.answer = reply(status, b" \n")
        assert str(fail(ask(vendor.url))) == f"The destination answered {status}."


def test_the_vendors_wish_to_wait_is_kept(vendor: Vendor) -> None:
    vendor.answer = reply(429, retry_after="120")
    caught = fail(ask(vendor.url))
    assert isinstance(caught, RetryableError)
    assert caught.retry_after == 120


def test_a_wish_to_wait_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    assert read_retry_after(format_datetime(later, usegmt=True)) == pytest.approx(90, abs=2)
    assert read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert read_retry_after("Wed, 21 Oct 2915 07:28:00 GMT") == 86_400
    assert read_retry_after("99999999") == 86_400
    assert read_retry_after("soon") is None
    assert read_retry_after("-5") is None
    assert read_retry_after("Mon, 1 Jan 99999999999999999999 00:00:00 GMT") is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \S+"))
def test_no_wish_to_wait_breaks_the_client(value: str) -> None:
    seconds = read_retry_after(value)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize("answer", [stall, drip])
def test_an_answer_that_does_not_end_is_given_up_in_time(vendor: Vendor, answer: Answer) -> None:
    vendor.answer = answer
    started = time.monotonic()
    caught = fail(ask(vendor.url), timeout=0.4)
    assert time.monotonic() - started < 5
    assert isinstance(caught, RetryableError)
    assert "timed out after 0.4 s" in str(caught)
    assert caught.exchange
    assert caught.exchange.status is None
    assert 0.3 < caught.exchange.duration < 2


def test_a_connection_that_is_never_accepted_is_given_up_in_time() -> None:
    with listen() as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert isinstance(fail(ask(url), timeout=0.4), RetryableError)


def test_of_an_endless_body_only_the_start_is_read(vendor: Vendor) -> None:
    vendor.answer = pour
    response = send(ask(vendor.url))
    response.raise_for_status()
    assert len(response.body) == RESPONSE_LIMIT
    assert len(response.exchange.said.response_body.encode()) < BODY_LIMIT + 100
    assert "cut at 16,384 of 65,536 bytes" in response.exchange.said.response_body


def test_a_compressed_bomb_is_not_inflated(vendor: Vendor) -> None:
    vendor.answer = reply(200, gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")
    assert len(send(ask(vendor.url)).body) <= RESPONSE_LIMIT


def test_an_answer_compressed_unasked_is_read(vendor: Vendor) -> None:
    vendor.answer = reply(400, gzip.compress(b"bad field"), Content_Encoding="gzip")
    assert "bad field" in str(fail(ask(vendor.url)))
    assert vendor.received[0].headers["accept-encoding"] == "identity"


def test_one_connection_serves_many_requests(vendor: Vendor) -> None:
    async def run() -> None:
        async with Client() as client:
            for _ in range(5):
                await client.send(ask(vendor.url), timeout=5)

    asyncio.run(run())
    assert len(vendor.received) == 5
    assert vendor.connections == 1


def test_cookies_are_not_kept(vendor: Vendor) -> None:
    vendor.answer = reply(200, set_cookie="session=abc")

    async def run() -> str:
        async with Client() as client:
            await client.send(ask(vendor.url), timeout=5)
            return str(await client.send(ask(vendor.url), timeout=5))

    assert "session=abc" not in asyncio.run(run()).split("exchange=")[1]
    assert "cookie" not in vendor.received[1].headers
