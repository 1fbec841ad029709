"""No destination opens a socket to an address that is refused, nor to a proxy of the environment:
whatever its configuration says, and whatever its library reads."""

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
from tests.destinations.samples import SAMPLES
from tests.destinations.vendors.bigquery.case import ACCOUNT
from tests.support.vendor import Vendor, listen
from tracking.destinations.contract import registry
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport import google_auth
from tracking.destinations.transport.http import Client
from tracking.exceptions import DeliveryError

EVENT = SAMPLES["transaction"]
KINDS = registry.all_destinations()
STORAGE = {"bucket": "hits", "format": "ndjson", "region": "us-east-1"}
KEYS = {"access_key": "AKIA0", "secret_key": "c2VjcmV0LWFjY2Vzcy1rZXk="}


@dataclass
class Trap:
    """A listener that nobody may connect to."""

    listener: socket.socket
    touched: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def wait(self) -> None:
        self.listener.settimeout(0.05)
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.listener.accept()[0].close()
                self.touched += 1


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap(listen())
    thread = threading.Thread(target=trap.wait)
    thread.start()
    yield trap
    trap.over.set()
    thread.join()
    trap.listener.close()


def places(port: int) -> list[str]:
    return [f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"0.0.0.0:{port}"]


def configurations(kind: type[Destination], case: Case, port: int) -> list[dict[str, Any]]:
    """The case's configuration, once with each address of this machine in each of its fields,
    without what the form would say."""
    plain, secrets = case.fill(kind, "https://vendor.example").split()
    whole = {**plain, **secrets}
    changed = [whole]
    for name, item in kind.Config.base_fields.items():
        if not hasattr(item, "origin"):
            continue
        for place in places(port):
            host, _, number = place.rpartition(":")
            if "port" in kind.Config.base_fields:
                changed.append({**whole, name: host.strip("[]"), "port": int(number)})
            else:
                changed += [{**whole, name: f"{scheme}://{place}/"} for scheme in ("http", "https")]
    if kind.slug == "object-storage":
        changed += storage_configurations(port)
    return changed


def storage_configurations(port: int) -> list[dict[str, Any]]:
    names = (f"127.0.0.1:{port}/", f"127.0.0.1:{port}/x?", f"a@127.0.0.1:{port}/#")
    azure = [{**STORAGE, **KEYS, "service": "azure", "access_key": name} for name in names]
    azure += [{**STORAGE, **KEYS, "service": "azure", "access_key": "shop", "bucket": names[0]}]
    gcs = {**STORAGE, "service": "gcs", "service_account": ACCOUNT}
    region = {**STORAGE, **KEYS, "service": "s3", "region": f"x@127.0.0.1:{port}/"}
    return [*azure, gcs, region]


async def deliver(destination: Destination) -> None:
    async with Client() as client, asyncio.timeout(20):
        await destination.deliver([EVENT], client)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_a_refused_address_is_never_touched(
    kind: type[Destination],
    trap: Trap,
    private_refused: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = trap.port
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, f"http://127.0.0.1:{port}"))
    monkeypatch.setattr(google_auth, "AUDIENCE", f"http://127.0.0.1:{port}/token")
    monkeypatch.setattr(kind, "timeout", 2.0)
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    for config in configurations(kind, case_of(kind), port):
        destination = kind(config)
        assert not check_connection(destination).works
        with contextlib.suppress(DeliveryError, TimeoutError):
            asyncio.run(deliver(destination))
    assert trap.touched == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_a_proxy_of_the_environment_is_ignored(
    kind: type[Destination],
    case: Case,
    trap: Trap,
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{trap.port}")
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, vendor.url))
    monkeypatch.setattr(kind, "timeout", 1.0)
    vendor.answer = case.accepts
    plain, secrets = case.fill(kind, vendor.url).split()
    config = {**plain, **secrets}
    if "host" in config:
        config |= {"host": "127.0.0.1", "port": vendor.port}
    with contextlib.suppress(DeliveryError, TimeoutError):
        asyncio.run(deliver(kind(config)))
    assert vendor.connections > 0
    assert trap.touched == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("access_key", "127.0.0.1/"),
        ("access_key", "Shop"),
        ("access_key", "sh"),
        ("access_key", "a" * 25),
        ("access_key", "shop.evil.example"),
        ("bucket", "-hits"),
        ("bucket", "hi--ts"),
        ("bucket", "hits."),
    ],
)
def test_names_follow_the_grammar_of_the_service(field: str, value: str) -> None:
    good = {**STORAGE, **KEYS, "service": "azure", "access_key": "shop"}
    form = registry.get_destination("object-storage").Config
    assert form(good).is_valid()
    assert field in form({**good, field: value}).errors
