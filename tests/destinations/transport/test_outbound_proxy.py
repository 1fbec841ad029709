"""A deployment that may only leave through a proxy: every destination is called through it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.destinations.case import Case, case_of
from tests.destinations.conftest import ask, fail, send
from tests.destinations.samples import SAMPLES
from tests.support.vendor import Vendor, listen
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport import google_auth
from tracking.destinations.transport.http import Client
from tracking.destinations.transport.outbound_proxy import check_name
from tracking.exceptions import DeliveryError, RetryableError

KINDS = registry.all_destinations()
OK = b"HTTP/1.1 200 Connection established\r\n\r\n"
#: "Aladdin:open sesame", the example of RFC 7617.
CREDENTIALS = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@dataclass
class Proxy:
    """An HTTP proxy that leads every request to the same server."""

    listener: socket.socket
    server: int
    answer: bytes = OK
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        port = self.listener.getsockname()[1]
        return f"http://Aladdin:open%20sesame@127.0.0.1:{port}"

    @property
    def targets(self) -> list[str]:
        return [head.split()[1] for head in self.heads]

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (chunk := client.recv(65_536)):
                    return
                head += chunk
            self.heads.append(head.decode())
            if head.startswith(b"CONNECT"):
                client.sendall(self.answer)
                if self.answer is not OK:
                    return
                head = b""
            with socket.create_connection(("127.0.0.1", self.server)) as upstream:
                upstream.sendall(head)
                threading.Thread(target=copy, args=(client, upstream), daemon=True).start()
                copy(upstream, client)


def copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(vendor: Vendor, settings: Any, private_refused: None) -> Iterator[Proxy]:
    proxy = Proxy(listen(), vendor.port)
    thread = threading.Thread(target=proxy.accept)
    thread.start()
    settings.HITSTREAM = {**settings.HITSTREAM, "OUTBOUND_PROXY": proxy.url}
    yield proxy
    proxy.listener.shutdown(socket.SHUT_RDWR)
    proxy.listener.close()
    thread.join()


def configured(kind: type[Destination], case: Case, host: str) -> Destination:
    """The case's destination at this host, whatever the form would say of it."""
    scheme = "https" if kind.slug == "object-storage" else "http"
    plain, secrets = case.fill(kind, f"{scheme}://vendor.example").split()
    config = {
        name: value.replace("vendor.example", host) if isinstance(value, str) else value
        for name, value in {**plain, **secrets}.items()
    }
    if "host" in config:
        config |= {"host": host, "port": 5432}
    return kind(config)


async def deliver(destination: Destination) -> None:
    async with Client() as client, asyncio.timeout(20):
        await destination.deliver([SAMPLES["transaction"]], client)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_destination_is_called_through_it(
    kind: type[Destination],
    case: Case,
    vendor: Vendor,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, "http://vendor.example"))
    monkeypatch.setattr(google_auth, "AUDIENCE", "http://vendor.example/token")
    monkeypatch.setattr(kind, "timeout", 1.0)
    vendor.answer = case.accepts
    with contextlib.suppress(DeliveryError, TimeoutError):
        asyncio.run(deliver(configured(kind, case_of(kind), "vendor.example")))
    assert vendor.connections > 0
    assert all("vendor.example" in target for target in proxy.targets)
    assert all(f"Proxy-Authorization: {CREDENTIALS}" in head for head in proxy.heads)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_it_is_not_asked_for_private_addresses(
    kind: type[Destination], case: Case, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, "http://169.254.169.254"))
    monkeypatch.setattr(google_auth, "AUDIENCE", "http://169.254.169.254/token")
    for host in ("169.254.169.254", "localhost", "2130706433", "0x7f.1"):
        with pytest.raises(DeliveryError):
            asyncio.run(deliver(configured(kind, case_of(kind), host)))
    assert proxy.heads == []


def test_what_the_vendor_gets_does_not_name_the_proxy(vendor: Vendor, proxy: Proxy) -> None:
    assert send(ask("http://vendor.example/hook?a=1")).status == 200
    assert proxy.targets == ["http://vendor.example/hook?a=1"]
    assert vendor.received[0].headers["host"] == "vendor.example"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy answered 407 Proxy"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy answered 403 Forbidden"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "vendor.example"),
        (b"HTTP/1.1 500 " + b"x" * 5000 + b"\r\n\r\n", "xxx."),
    ],
)
def test_a_proxy_that_refuses_is_named(proxy: Proxy, answer: bytes, words: str) -> None:
    proxy.answer = answer
    error = fail(ask("https://vendor.example/"))
    assert isinstance(error, RetryableError)
    assert words in str(error)
    assert len(str(error)) < 200


def test_a_proxy_that_is_away_is_named(proxy: Proxy, settings: Any) -> None:
    with listen() as listener:
        port = listener.getsockname()[1]
    settings.HITSTREAM = {
        **settings.HITSTREAM,
        "OUTBOUND_PROXY": f"http://127.0.0.1:{port}",
    }
    error = fail(ask("https://vendor.example/"))
    assert isinstance(error, RetryableError)
    assert "outbound proxy cannot be reached" in str(error)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "[::1]", "fe80::1", "LOCALHOST.", "a.localhost", "0177.0.0.1", "127.1"]
)
def test_a_private_address_is_refused_in_every_spelling(
    host: str, private_refused: None, settings: Any
) -> None:
    with pytest.raises(OSError, match="private or reserved"):
        check_name(host)
    settings.HITSTREAM = {"ALLOW_PRIVATE_DESTINATIONS": True}
    check_name(host)


@pytest.mark.parametrize("host", ["1.1", "vendor.example", "localhost.example", "10.example"])
def test_what_may_be_public_is_left_to_the_proxy(host: str, private_refused: None) -> None:
    check_name(host)
