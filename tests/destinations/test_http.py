"""Whatever a vendor does, a request ends in time, keeps little, tells no secret and says why."""

from __future__ import annotations

import asyncio
import gzip
import shlex
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from tests.destinations.conftest import send
from tests.destinations.vendor import (
    Answer,
    Vendor,
    babble,
    drip,
    hang_up,
    listen,
    open_vendor,
    pour,
    reply,
    reset,
    stall,
)
from tracking.destinations.base import Request
from tracking.destinations.http import RESPONSE_LIMIT, Client, read_retry_after
from tracking.destinations.record import BODY_LIMIT, MASK
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError


def fail(request: Request, *, timeout: float = 5.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(request, timeout=timeout).raise_for_status()
    assert caught.value.exchange is not None
    return caught.value


def ask(url: str) -> Request:
    return Request(url=url, body=b'{"a":1}', headers={"Content-Type": "application/json"})


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


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ \S+"))
def test_no_wish_to_wait_breaks_the_client(value: str) -> None:
    seconds = read_retry_after(value)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize("answer", [stall, drip])
def test_an_answer_that_does_not_end_is_given_up_in_time(vendor: Vendor, answer: Answer) -> None:
    vendor.answer = answer
    started = time.monotonic()
    caught = fail(ask(vendor.url), timeout=0.4)
    assert time.monotonic() - started < 2
    assert isinstance(caught, RetryableError)
    assert "within 0.4 seconds" in str(caught)
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
    assert len(response.exchange.response_body.encode()) < BODY_LIMIT + 100
    assert "cut at 16,384 of 65,536 bytes" in response.exchange.response_body


def test_a_compressed_bomb_is_not_inflated(vendor: Vendor) -> None:
    vendor.answer = reply(200, gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")
    assert len(send(ask(vendor.url)).body) <= RESPONSE_LIMIT


def test_an_answer_compressed_unasked_is_read(vendor: Vendor) -> None:
    vendor.answer = reply(400, gzip.compress(b"bad field"), Content_Encoding="gzip")
    assert "bad field" in str(fail(ask(vendor.url)))
    assert vendor.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("answer", [reset, hang_up, babble])
def test_a_broken_connection_is_tried_again_later(vendor: Vendor, answer: Answer) -> None:
    vendor.answer = answer
    caught = fail(ask(vendor.url))
    assert isinstance(caught, RetryableError)
    assert caught.exchange
    assert caught.exchange.status is None


def test_a_refused_connection_is_tried_again_later() -> None:
    with listen() as listener:
        port = listener.getsockname()[1]
    assert isinstance(fail(ask(f"http://127.0.0.1:{port}/")), RetryableError)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (socket.EAI_NONAME, SetupError),
        (socket.EAI_AGAIN, RetryableError),
        (socket.EAI_FAIL, RetryableError),
    ],
)
def test_an_unknown_name_is_a_setup_error_and_a_failed_lookup_is_not(
    number: int, error: type[DeliveryError]
) -> None:
    class Failing(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise socket.gaierror(number, "as the system says")

        async def close(self) -> None:
            pass

    with pytest.raises(error, match=r"hook\.example\.com") as caught:
        send(ask("http://hook.example.com/"), resolver=Failing())
    assert caught.value.exchange is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "http://",
        "http:///x",
        "http://a b/",
        "http://x:99999/",
        "http://[::1",
        "http://" + "a" * 70 + ".example/",
    ],
)
def test_a_url_that_cannot_be_called_is_a_setup_error(url: str) -> None:
    assert isinstance(fail(ask(url)), SetupError)


def test_a_header_cannot_smuggle_another(vendor: Vendor) -> None:
    request = Request(url=vendor.url, body=b"", headers={"X-A": "1\r\nX-B: 2"})
    assert isinstance(fail(request), SetupError)
    assert vendor.received == []


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    subprocess.run(
        shlex.split(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
            " -keyout key -out certificate"
        ),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


def test_a_certificate_that_nobody_vouches_for_is_a_setup_error(
    self_signed: ssl.SSLContext,
) -> None:
    with open_vendor(reply(), tls=self_signed) as vendor:
        caught = fail(ask(vendor.url))
    assert isinstance(caught, SetupError)
    assert "certificate" in str(caught)
    assert vendor.received == []


def test_tls_to_a_server_without_it_is_tried_again_later(vendor: Vendor) -> None:
    caught = fail(ask(vendor.url.replace("http://", "https://")), timeout=1)
    assert isinstance(caught, RetryableError)


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


def test_secrets_are_masked_wherever_they_stand(vendor: Vendor) -> None:
    secret = 'p/+"ä secret'
    vendor.answer = reply(400, f"who is {secret}?".encode(), X_Echo="t0ken-in-header")
    request = Request(
        url=vendor.url.replace("//", "//user:pa55word@") + "?api_secret=s1&measure=G-1&own=s2",
        body='{"key": "p/+\\"ä secret", "ascii": "p/+\\"\\u00e4 secret"}'.encode(),
        headers={"X-Api-Key": "Bearer abc", "X-Own": "mine", "X-Plain": "seen"},
        secret_headers=frozenset({"x-own"}),
        secret_query=frozenset({"own"}),
        secrets=frozenset({secret, "t0ken-in-header"}),
    )
    caught = fail(request)
    kept = repr(caught.exchange) + str(caught)
    for text in (secret, "ä secret", "u00e4", "pa55word", "s1", "s2", "Bearer", "mine", "t0ken"):
        assert text not in kept
    assert "seen" in kept
    assert "measure=G-1" in kept
    assert kept.count(MASK) >= 8
    assert vendor.received[0].headers["x-api-key"] == "Bearer abc"
    assert vendor.received[0].headers["authorization"].startswith("Basic ")
    assert secret not in repr(request)


def test_a_secret_in_a_redirect_is_masked(vendor: Vendor) -> None:
    vendor.answer = reply(302, location="https://u:p@example.com/x?token=abc123&a=1")
    caught = fail(ask(vendor.url))
    assert f"https://{MASK}@example.com/x?token={MASK}&a=1" in str(caught)
    assert "abc123" not in repr(caught.exchange)


def test_a_long_request_is_kept_up_to_the_cut(vendor: Vendor) -> None:
    body = b'"' + b"x" * 40_000 + b'"'
    exchange = send(Request(url=vendor.url, body=body)).exchange
    assert "(cut at 16,384 of 40,002 bytes)" in exchange.request_body
    assert vendor.received[0].body == body


def test_what_is_kept_can_be_stored_as_text(vendor: Vendor) -> None:
    vendor.answer = reply(400, b"\x00\xff\xed\xa0\x80 odd", X_Odd="caf\xe9")
    caught = fail(ask(vendor.url))
    assert caught.exchange is not None
    kept = repr(caught.exchange.response_headers) + caught.exchange.response_body + str(caught)
    kept.encode()
    assert "\0" not in kept
