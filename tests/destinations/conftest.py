"""A vendor that says 200 unless told otherwise, a client, and the sample hit as an Event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.destinations.case import Case, case_of
from tests.support.sample import SEED as PAYLOAD
from tests.support.vendor import Vendor
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client, Response
from tracking.destinations.transport.request import Request
from tracking.events import Event
from tracking.exceptions import DeliveryError


@pytest.fixture(autouse=True)
def private_allowed(settings: Any) -> None:
    """The vendor of these tests lives on 127.0.0.1."""
    settings.HITSTREAM = {"ALLOW_PRIVATE_DESTINATIONS": True}


@pytest.fixture
def private_refused(settings: Any) -> None:
    settings.HITSTREAM = {"ALLOW_PRIVATE_DESTINATIONS": False}


@pytest.fixture
def case(kind: type[Destination]) -> Case:
    return case_of(kind)


@pytest.fixture
def destination(
    kind: type[Destination], case: Case, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> Destination:
    """Configured for a vendor that takes everything."""
    monkeypatch.setattr(kind, "hosts", dict.fromkeys(kind.hosts, vendor.url))
    vendor.answer = case.accepts
    return case.make(kind, vendor.url)


@pytest.fixture
def event() -> Event:
    return Event(
        id=UUID("01968a3c-5b1f-7c3e-8a55-0123456789ab"),
        hit_id="4c59d330-35c7-11e9-8f27-8d1d7d4690e7",
        type="track",
        name="Registered",
        user_id="u2783187492",
        anonymous_id="80ddb140-35c6-11e9-bd56-eb1c05e6de18",
        email_hash="eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d",
        sent_at=datetime(2019, 2, 21, 10, 56, 10, 723_000, tzinfo=UTC),
        received_at=datetime(2019, 2, 21, 10, 56, 11, 5, tzinfo=UTC),
        occurred_at=datetime(2019, 2, 21, 10, 56, 10, 723_000, tzinfo=UTC),
        clock="sent",
        ip="203.0.113.7",
        user_agent="python-requests/2.31",
        payload=PAYLOAD,
    )


@pytest.fixture
def events(event: Event) -> Callable[[int], list[Event]]:
    """So many events that differ in their ids."""
    return lambda count: [
        replace(event, id=UUID(int=event.id.int + n), hit_id=f"hit-{n}") for n in range(count)
    ]


def send(request: Request, *, timeout: float = 5.0, **client: Any) -> Response:
    async def run() -> Response:
        async with Client(**client) as sender:
            return await sender.send(request, timeout=timeout)

    return asyncio.run(run())


def ask(url: str) -> Request:
    return Request(url=url, body=b'{"a":1}', headers={"Content-Type": "application/json"})


def fail(request: Request, *, timeout: float = 5.0) -> DeliveryError:
    """The error that sending the request ends in; it carries its exchange."""
    with pytest.raises(DeliveryError) as caught:
        send(request, timeout=timeout).raise_for_status()
    assert caught.value.exchange is not None
    return caught.value
