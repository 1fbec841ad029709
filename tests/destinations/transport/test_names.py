"""Host names are looked up beside each other, whatever the name servers do."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.vendor import Vendor
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.transport import names
from tracking.destinations.transport.http import Client
from tracking.destinations.transport.relay import connect
from tracking.destinations.transport.request import Request
from tracking.destinations.vendors.clickhouse.destination import ClickHouse
from tracking.exceptions import RetryableError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that were looked up. The servers of `.silent` do not answer before the end."""
    found: list[str] = []
    end = threading.Event()
    original = socket.getaddrinfo

    def look(host: str, *args: Any, **kwargs: Any) -> Any:
        found.append(host)
        if str(host).endswith(".silent"):
            end.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return original(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    yield found
    end.set()
    # The threads that still wait would count in the next test.
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join()


async def status_of(client: Client, url: str, timeout: float) -> int:
    return (await client.send(Request(url=url, body=b"{}"), timeout=timeout)).status


def test_silent_name_servers_keep_nobody_else_waiting(vendor: Vendor, asked: list[str]) -> None:
    async def ask() -> None:
        async with Client() as client:
            silent = [
                asyncio.ensure_future(status_of(client, f"http://n{number}.silent/", 5.0))
                for number in range(40)
            ]
            while len(asked) < 40:
                await asyncio.sleep(0.01)
            assert await status_of(client, f"http://localhost:{vendor.port}/", 2.0) == 200
            (await asyncio.wait_for(connect("localhost", vendor.port), 2.0))[1].close()
            for each in silent:
                each.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

    began = time.monotonic()
    asyncio.run(ask())
    assert time.monotonic() - began < 5


def test_a_connection_test_waits_no_longer_than_it_says(asked: list[str]) -> None:
    destination = ClickHouse({"url": "http://n.silent", "password": ""})
    destination.__class__ = type("Hasty", (ClickHouse,), {"timeout": 0.2})
    began = time.monotonic()
    result = check_connection(destination)
    assert (result.works, time.monotonic() - began < 3) == (False, True)


def test_a_name_is_looked_up_once_for_all_who_ask_at_once(asked: list[str]) -> None:
    async def ask() -> list[Any]:
        waits = (asyncio.wait_for(connect("n.silent", 80), 0.2) for _ in range(5))
        return await asyncio.gather(*waits, return_exceptions=True)

    assert [type(error) for error in asyncio.run(ask())] == [TimeoutError] * 5
    assert asked == ["n.silent"]


def test_so_many_names_are_looked_up_at_once_and_no_more(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    monkeypatch.setattr(names, "MOST", 1)

    async def ask() -> None:
        async with Client() as client:
            first = asyncio.ensure_future(status_of(client, "http://n.silent/", 30.0))
            while "n.silent" not in asked:
                await asyncio.sleep(0.01)
            with pytest.raises(RetryableError, match="could not be resolved at the moment"):
                await status_of(client, "http://other.silent/", 1.0)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    asyncio.run(ask())
