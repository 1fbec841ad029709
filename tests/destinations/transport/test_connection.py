"""No spelling of a private address, and no name that leads to one, is ever connected to."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Network
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.destinations.conftest import send
from tests.support.vendor import Vendor, open_vendor, reply
from tracking.destinations.transport.request import Request
from tracking.exceptions import RetryableError, SetupError

pytestmark = pytest.mark.usefixtures("private_refused")

LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "user:pw@127.0.0.1",
]


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_no_spelling_of_the_loopback_address_is_connected_to(vendor: Vendor, host: str) -> None:
    with pytest.raises(SetupError) as caught:
        send(Request(url=f"http://{host}:{vendor.port}/", body=b"{}"))
    assert vendor.connections == 0
    assert caught.value.exchange is not None
    assert caught.value.exchange.status is None


def test_the_refusal_names_the_address_and_the_setting(vendor: Vendor) -> None:
    with pytest.raises(SetupError) as caught:
        send(Request(url=vendor.url, body=b"{}"))
    assert "127.0.0.1" in str(caught.value)
    assert "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS" in str(caught.value)


class Names(AbstractResolver):
    """Answers the same question with one list of addresses after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1", "127.0.0.1"],
        ["127.0.0.1", "10.0.0.1", "::ffff:127.0.0.1"],
    ],
)
def test_a_name_that_leads_to_private_addresses_is_refused(
    vendor: Vendor, addresses: list[str]
) -> None:
    request = Request(url=f"http://hook.example.com:{vendor.port}/", body=b"{}")
    with pytest.raises(SetupError, match=r"hook\.example\.com cannot be called"):
        send(request, resolver=Names(addresses))
    assert vendor.connections == 0


def test_a_name_with_a_public_address_too_is_called_there_only(vendor: Vendor) -> None:
    # 192.0.2.1 stands for the public address: no test calls a real one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tracking.destinations.transport.ssrf.V4_REFUSED", (IPv4Network("127.0.0.0/8"),)
        )
        request = Request(url=f"http://hook.example.com:{vendor.port}/", body=b"{}")
        with pytest.raises(RetryableError):
            send(request, resolver=Names(["127.0.0.1", "192.0.2.1"]), timeout=0.5)
    assert vendor.connections == 0


def test_a_name_that_is_rebound_after_its_check_gains_nothing(vendor: Vendor) -> None:
    class Rebound(dict[str, Any]):
        """A look-up whose address is public when it is checked and private when it is used."""

        answers = iter(["8.8.8.8"])

        def __getitem__(self, key: str) -> Any:
            return next(self.answers, "127.0.0.1") if key == "host" else super().__getitem__(key)

    class Rebinding(Names):
        async def resolve(self, *args: Any, **kwargs: Any) -> list[Any]:
            return [Rebound(result) for result in await super().resolve(*args, **kwargs)]

    request = Request(url=f"http://hook.example.com:{vendor.port}/", body=b"{}")
    with pytest.raises(SetupError, match=r"127\.0\.0\.1"):
        send(request, resolver=Rebinding(["8.8.8.8"]))
    assert vendor.connections == 0


def test_a_name_that_is_rebound_between_requests_gains_nothing(
    vendor: Vendor, settings: Any
) -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    request = Request(url=f"http://hook.example.com:{vendor.port}/", body=b"{}")
    asyncio.run(names.resolve("hook.example.com"))
    with pytest.raises(SetupError, match=r"127\.0\.0\.1"):
        send(request, resolver=names)
    assert vendor.connections == 0


def test_a_redirect_to_a_private_address_is_not_followed(settings: Any, vendor: Vendor) -> None:
    settings.HITSTREAM = {"ALLOW_PRIVATE_DESTINATIONS": True}
    with open_vendor(reply(302, Location=vendor.url)) as front:
        response = send(Request(url=front.url, body=b"{}"))
    with pytest.raises(SetupError, match=vendor.url):
        response.raise_for_status()
    assert vendor.connections == 0


@pytest.mark.parametrize("scheme", ["file", "ftp", "unix", "tcp", "ws", "gopher", ""])
def test_only_http_is_spoken(scheme: str, vendor: Vendor) -> None:
    with pytest.raises(SetupError):
        send(Request(url=f"{scheme}://127.0.0.1:{vendor.port}/", body=b"{}"))
    assert vendor.connections == 0


def test_the_environments_proxy_is_not_used(
    vendor: Vendor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HITSTREAM = {"ALLOW_PRIVATE_DESTINATIONS": True}
    with open_vendor(reply(502)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert send(Request(url=vendor.url, body=b"{}")).status == 200
        assert proxy.connections == 0
