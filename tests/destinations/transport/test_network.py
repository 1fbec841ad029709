"""What goes wrong on the network is told apart: what may pass, and what must be set right."""

from __future__ import annotations

import shlex
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.destinations.conftest import ask, fail, send
from tests.support.vendor import (
    Answer,
    Vendor,
    babble,
    hang_up,
    listen,
    open_vendor,
    reply,
    reset,
)
from tracking.destinations.transport.request import Request
from tracking.exceptions import DeliveryError, RetryableError, SetupError


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
