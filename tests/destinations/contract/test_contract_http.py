"""What every destination that speaks HTTP must do, against a vendor on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import pytest

from tests.destinations.case import Case
from tests.destinations.samples import SALE
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract import registry
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.contract.destination import Destination
from tracking.destinations.transport.http import Client
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError, RetryableError, SetupError

pytestmark = pytest.mark.parametrize(
    "kind",
    [kind for kind in registry.all_destinations() if kind.speaks_http],
    ids=lambda kind: kind.slug,
)


def deliver(destination: Destination, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def test_a_success_refuses_nothing(destination: Destination, vendor: Vendor) -> None:
    receipt = deliver(destination, [SALE])
    assert receipt.refused == {}
    assert receipt.exchange.status == 200
    # Beside what a token was asked with.
    path = unquote(urlsplit(destination.request([SALE]).url).path)
    sent = [unquote(each.line.split()[1].partition("?")[0]) for each in vendor.received]
    assert sent.count(path) == 1


def test_no_record_holds_a_secret(destination: Destination, vendor: Vendor) -> None:
    vendor.answer = reply(400, " ".join(destination.secrets).encode(), location="/x")
    with pytest.raises(PermanentError) as caught:
        deliver(destination, [SALE])
    for secret in destination.secrets:
        assert secret not in repr(caught.value.exchange.said) + str(caught.value)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, SetupError),
        (400, PermanentError),
        (401, SetupError),
        (403, SetupError),
        (404, SetupError),
        (413, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_each_status_means_one_error(
    destination: Destination, vendor: Vendor, status: int, error: type[Exception]
) -> None:
    vendor.answer = reply(status)
    with pytest.raises(error) as caught:
        deliver(destination, [SALE])
    assert type(caught.value) is error


def test_it_can_be_tried_out(case: Case, destination: Destination, vendor: Vendor) -> None:
    vendor.answer = case.verifies
    verdict = check_connection(destination)
    assert verdict.works, verdict
    assert verdict.message.endswith(".")
    assert len(vendor.received) >= 1


def test_trying_out_says_what_is_wrong_without_its_secrets(
    destination: Destination, vendor: Vendor
) -> None:
    vendor.answer = reply(401, b"bad key " + " ".join(destination.secrets).encode())
    verdict = check_connection(destination)
    assert not verdict.works
    assert "401" in verdict.message
    assert verdict.said is not None
    for secret in destination.secrets:
        assert secret not in f"{verdict.message} {verdict.said}"
