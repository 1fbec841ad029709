"""What every destination must do. A new one adds its configuration to CONFIGS and its golden."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.vendor import Vendor, reply
from tracking.destinations import registry
from tracking.destinations.base import ConfigForm, Destination
from tracking.destinations.http import Client
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError, RetryableError, SetupError

Events = Callable[[int], list[Event]]

#: What an operator types for each destination; `{url}` is the vendor's address.
CONFIGS: dict[str, dict[str, Any]] = {
    "webhook": {
        "url": "{url}",
        "signing_secret": "whsec_" + base64.b64encode(b"s" * 32).decode(),
        "batch_size": 3,
        "headers": "X-Own: header-secret",
        "timeout": 5,
    },
}

every_destination = pytest.mark.parametrize(
    "kind", registry.all(), ids=lambda destination: destination.slug
)
pytestmark = every_destination


def fill(kind: type[Destination], url: str) -> ConfigForm:
    typed = {
        name: value.replace("{url}", url) if isinstance(value, str) else value
        for name, value in CONFIGS[kind.slug].items()
    }
    form = kind.Config(typed)
    assert form.is_valid(), form.errors
    return form


def make(kind: type[Destination], url: str) -> Destination:
    plain, secrets = fill(kind, url).split()
    return kind(json.loads(json.dumps({**plain, **secrets})))


def deliver(destination: Destination, events: list[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def test_it_declares_what_it_is(kind: type[Destination]) -> None:
    assert kind.slug == kind.slug.lower()
    assert len(kind.slug) <= 50
    assert kind.label
    assert kind.docs_url.startswith("https://")
    assert issubclass(kind.Config, ConfigForm)
    assert kind.max_batch >= 1
    assert kind.max_bytes > 0
    assert kind.slug in CONFIGS
    for name in (kind.slug, kind.label, *kind.aliases):
        assert kind.slug in registry.slugs_named(name.upper())


def test_it_has_goldens(kind: type[Destination]) -> None:
    assert list((Path(__file__).parent / "golden" / kind.slug).glob("*.json"))


def test_its_configuration_survives_storage(kind: type[Destination], vendor: Vendor) -> None:
    form = fill(kind, vendor.url)
    plain, secrets = form.split()
    assert json.loads(json.dumps([plain, secrets])) == [plain, secrets]
    assert set(secrets) <= kind.Config.secret_names()
    for secret in make(kind, vendor.url).secrets:
        assert secret not in json.dumps(plain)


def test_its_secrets_stay_when_the_form_is_saved_again(
    kind: type[Destination], vendor: Vendor
) -> None:
    form = fill(kind, vendor.url)
    plain, secrets = form.split()
    again = kind.Config(plain, stored=secrets)
    assert again.is_valid(), again.errors
    assert again.split()[0] == plain
    assert again.merge_secrets(lambda: secrets) == secrets
    assert again.issued == {}
    for secret in make(kind, vendor.url).secrets:
        assert secret not in form.as_p()


def test_it_is_made_without_a_single_request(kind: type[Destination], vendor: Vendor) -> None:
    destination = make(kind, vendor.url)
    assert 1 <= destination.batch_size <= kind.max_batch
    assert 0 < destination.timeout <= 60
    assert vendor.connections == 0


def test_its_batches_obey_its_limits(
    kind: type[Destination], vendor: Vendor, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = make(kind, vendor.url)
    many = events(3 * destination.batch_size + 1)
    assert [each for batch in destination.batches(many) for each in batch] == many
    assert max(len(batch) for batch in destination.batches(many)) == destination.batch_size
    assert list(destination.batches([])) == []

    limit = len(destination.request(many[:1]).body) + 10
    monkeypatch.setattr(kind, "max_bytes", limit)
    large = replace(many[1], payload={"blob": "x" * 2 * limit})
    batches = list(destination.batches([many[0], large, *many[2:]]))
    assert [each.id for batch in batches for each in batch] == [each.id for each in many]
    for batch in batches:
        assert len(batch) == 1 or len(destination.request(batch).body) <= limit


def test_a_retry_carries_the_same_ids(
    kind: type[Destination], vendor: Vendor, events: Events
) -> None:
    destination = make(kind, vendor.url)
    first, second = (destination.request(events(destination.batch_size)) for _ in range(2))
    assert first.body == second.body
    for event in events(destination.batch_size):
        sent = first.body + repr(first.headers).encode()
        assert str(event.id).encode() in sent


def test_a_success_refuses_nothing(kind: type[Destination], vendor: Vendor, event: Event) -> None:
    receipt = deliver(make(kind, vendor.url), [event])
    assert receipt.refused == {}
    assert receipt.exchange.status == 200
    assert len(vendor.received) == 1


def test_no_record_holds_a_secret(kind: type[Destination], vendor: Vendor, event: Event) -> None:
    destination = make(kind, vendor.url)
    vendor.answer = reply(400, " ".join(destination.secrets).encode(), location="/x")
    with pytest.raises(PermanentError) as caught:
        deliver(destination, [event])
    assert destination.secrets
    for secret in destination.secrets:
        assert secret not in repr(caught.value.exchange) + str(caught.value)


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
    kind: type[Destination], vendor: Vendor, event: Event, status: int, error: type[Exception]
) -> None:
    vendor.answer = reply(status)
    with pytest.raises(error) as caught:
        deliver(make(kind, vendor.url), [event])
    assert type(caught.value) is error
