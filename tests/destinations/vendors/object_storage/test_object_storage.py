"""Every hit is in exactly one file, whatever is sent again and however it is grouped then."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pyarrow.parquet
import pytest
import requests
from obstore.store import S3Store

from tests.destinations.samples import SALE, SAMPLES, sales
from tests.destinations.vendors.bigquery.case import ACCOUNT
from tests.support.ports import free_port
from tests.support.vendor import Vendor, reply
from tracking.destinations.contract.connection_test import check_connection
from tracking.destinations.spec.rows import COLUMNS, row
from tracking.destinations.transport.http import Client
from tracking.destinations.vendors.object_storage import stores
from tracking.destinations.vendors.object_storage.config import ObjectStorageConfig
from tracking.destinations.vendors.object_storage.destination import ObjectStorage
from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError

KEYS = {"access_key": "AKIA0", "secret_key": "secret-access-key"}
START_SECONDS = 60.0


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's server."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("moto") / "log"
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/", timeout=5).ok
    except requests.RequestException:
        return False


class Place:
    """Where files come to, and how they are read back."""

    def __init__(self, config: dict[str, Any], store: Any) -> None:
        self.config, self.store = config, store

    def make(self, **config: Any) -> ObjectStorage:
        return ObjectStorage({"format": "ndjson", **self.config, **config})

    def names(self) -> list[str]:
        return sorted(item["path"] for page in obstore.list(self.store) for item in page)

    def rows(self) -> list[dict[str, Any]]:
        return [row for name in self.names() for row in unpack(name, self.read(name))]

    def read(self, name: str) -> bytes:
        return bytes(obstore.get(self.store, name).bytes())

    def ids(self) -> Counter[str]:
        return Counter(row["id"] for row in self.rows())


def unpack(name: str, data: bytes) -> list[dict[str, Any]]:
    if name.endswith(".ndjson.gz"):
        return [json.loads(line) for line in gzip.decompress(data).splitlines()]
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


@pytest.fixture(params=["s3", "local"])
def place(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Place:
    if request.param == "local":
        settings.HITSTREAM = {"LOCAL_FOLDER": str(tmp_path)}
        folder = obstore.store.LocalStore(tmp_path / "hits", mkdir=True)
        return Place({"service": "local", "bucket": "hits"}, folder)
    url = request.getfixturevalue("s3")
    bucket = f"hits-{time.monotonic_ns()}"
    assert requests.put(f"{url}/{bucket}", timeout=5).ok
    store = S3Store(
        bucket,
        endpoint=url,
        access_key_id="x",
        secret_access_key="y",
        region="us-east-1",
        client_options={"allow_http": True},
    )
    return Place({"service": "s3", "bucket": bucket, "endpoint": url, **KEYS}, store)


def deliver(destination: ObjectStorage, events: Sequence[Event]) -> Receipt:
    async def run() -> Receipt:
        async with Client() as client:
            return await destination.deliver(events, client)

    return asyncio.run(run())


def fail(destination: ObjectStorage) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        deliver(destination, [SALE])
    assert caught.value.exchange is not None
    assert KEYS["secret_key"] not in f"{caught.value} {caught.value.exchange.said}"
    return caught.value


def expected(event: Event) -> dict[str, Any]:
    return {**row(event), "id": str(event.id)}


@pytest.mark.parametrize("format", ["ndjson", "parquet"])
def test_what_was_sent_is_read_back(place: Place, format: str) -> None:
    events = list(SAMPLES.values())
    receipt = deliver(place.make(format=format), events)
    assert receipt.refused == {}
    (name,) = place.names()
    assert name.startswith("hits/year=2026/month=11/day=24/20261124T1050_")
    rows = place.rows()
    assert [list(found) for found in rows] == [list(COLUMNS)] * len(events)
    for found, event in zip(rows, events, strict=True):
        if format == "parquet":
            assert found == expected(event) | {"payload": found["payload"]}
            assert json.loads(found["payload"]) == event.payload
        else:
            assert found == json.loads(json.dumps(expected(event), default=iso))


def iso(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


@pytest.mark.parametrize("format", ["ndjson", "parquet"])
def test_the_same_batch_again_changes_nothing(place: Place, format: str) -> None:
    """The worker died between writing the file and noting it."""
    deliver(place.make(format=format), sales(5))
    before = {name: place.read(name) for name in place.names()}
    deliver(place.make(format=format), sales(5))
    assert {name: place.read(name) for name in place.names()} == before
    obstore.delete(place.store, place.names())
    deliver(place.make(format=format), sales(5))
    assert {name: place.read(name) for name in place.names()} == before


def test_another_format_writes_no_hit_again(place: Place) -> None:
    deliver(place.make(), sales(5))
    deliver(place.make(format="parquet"), sales(6))
    assert place.ids() == Counter(str(event.id) for event in sales(6))


@pytest.mark.parametrize("format", ["ndjson", "parquet"])
def test_hits_that_come_again_in_other_groups_are_not_there_twice(
    place: Place, format: str
) -> None:
    many = sales(12)
    destination = place.make(format=format)
    deliver(destination, many[2:5])
    deliver(destination, many[6:9])
    for batch in (many[:4], many[4:10], many[10:], many[1:11]):
        deliver(destination, batch)
    assert place.ids() == Counter(str(event.id) for event in many)


def test_hits_of_two_windows_are_two_files(place: Place) -> None:
    early, late = sales(2)
    late = replace(late, received_at=late.received_at + timedelta(minutes=10))
    destination = place.make(folder="{year}-{month}-{day}/{hour}")
    batches = list(destination.batches([early, late]))
    assert batches == [[early], [late]]
    for batch in batches:
        deliver(destination, batch)
    first, second = place.names()
    assert first.startswith("2026-11-24/10/20261124T1050_")
    assert second.startswith("2026-11-24/11/20261124T1100_")


def test_verify_writes_nothing(place: Place) -> None:
    verdict = check_connection(place.make())
    assert verdict.works, verdict
    assert place.names() == []


def test_a_bucket_that_is_not_there_is_an_error_of_the_setup(s3: str) -> None:
    config = {"service": "s3", "bucket": "nobody-s", "endpoint": s3, "format": "ndjson", **KEYS}
    assert isinstance(fail(ObjectStorage(config)), SetupError)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, SetupError),
        (307, SetupError),
        (400, SetupError),
        (401, SetupError),
        (403, SetupError),
        (404, SetupError),
        (413, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_what_a_store_says_means_one_error(
    vendor: Vendor, status: int, error: type[Exception]
) -> None:
    vendor.answer = reply(status, b"")
    config = {"service": "s3", "bucket": "b", "endpoint": vendor.url, "format": "ndjson", **KEYS}
    caught = fail(ObjectStorage(config))
    assert type(caught) is error
    assert str(status) in str(caught) or "redirect" in str(caught)
    assert len(vendor.received) == 1


def test_a_store_that_is_away_is_asked_again_later(vendor: Vendor) -> None:
    config = {"service": "s3", "bucket": "b", "endpoint": vendor.url, "format": "ndjson", **KEYS}
    vendor.listener.close()
    assert isinstance(fail(ObjectStorage(config)), RetryableError)


@pytest.mark.usefixtures("private_refused")
def test_a_private_endpoint_is_not_called(vendor: Vendor) -> None:
    for url in (f"https://localhost:{vendor.port}", f"http://vendor.example:{vendor.port}"):
        config = {"service": "s3", "bucket": "b", "endpoint": url, "format": "ndjson", **KEYS}
        caught = fail(ObjectStorage(config))
        assert isinstance(caught, SetupError)
        assert "HITSTREAM_ALLOW_PRIVATE_DESTINATIONS" in str(caught)
    assert vendor.connections == 0


def test_a_redirect_is_an_error_of_the_setup(vendor: Vendor) -> None:
    vendor.answer = reply(307, b"", location=vendor.url)
    config = {"service": "s3", "bucket": "b", "endpoint": vendor.url, "format": "ndjson", **KEYS}
    assert isinstance(fail(ObjectStorage(config)), SetupError)


def test_no_local_folder_is_written_to_unless_the_deployment_says_where(
    settings: Any, tmp_path: Path
) -> None:
    destination = ObjectStorage({"service": "local", "bucket": "hits", "format": "ndjson"})
    assert "LOCAL_FOLDER" in str(fail(destination))
    root = tmp_path / "root"
    root.mkdir()
    (root / "hits").symlink_to(tmp_path)
    settings.HITSTREAM = {"LOCAL_FOLDER": str(root)}
    assert isinstance(fail(destination), SetupError)
    assert list(tmp_path.iterdir()) == [root]


def fill(**config: Any) -> ObjectStorageConfig:
    return ObjectStorageConfig(
        {"service": "s3", "bucket": "hits", "format": "ndjson", **KEYS, **config}
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bucket", "../etc"),
        ("bucket", "a/b"),
        ("bucket", ".."),
        ("folder", "../up"),
        ("folder", "a/../b"),
        ("folder", "/a"),
        ("folder", "a//b"),
        ("folder", "{minute}"),
        ("folder", "{year.__class__}"),
        ("region", "evil.example"),
        ("access_key", ""),
        ("secret_key", ""),
        ("batch_size", 0),
    ],
)
def test_a_configuration_that_leads_elsewhere_is_refused(field: str, value: Any) -> None:
    assert field in fill(**{field: value}).errors


def test_of_a_service_account_only_the_key_is_taken() -> None:
    key = {"type": "service_account", "client_email": "a@b", "private_key_id": "1"}
    odd = {**key, "private_key": "-----BEGIN"}
    wrongs: tuple[object, ...] = (key, odd, [])
    for wrong in wrongs:
        assert "service_account" in fill(service="gcs", service_account=json.dumps(wrong)).errors
    whole = {**json.loads(ACCOUNT), "gcs_base_url": "http://10.0.0.1"}
    form = fill(service="gcs", service_account=json.dumps(whole))
    assert form.is_valid(), form.errors
    assert "10.0.0.1" not in stores.read_account(json.dumps(whole))
    assert fill(service="azure", access_key="shopaccount").is_valid()


def test_a_key_that_cannot_be_read_is_an_error_of_the_setup_without_the_key() -> None:
    keys = {"access_key": "shopaccount", "secret_key": "not base64"}
    config = {"service": "azure", "bucket": "hits", "format": "ndjson", **keys}
    caught = fail(ObjectStorage(config))
    assert isinstance(caught, SetupError)
    assert "not base64" not in f"{caught} {caught.exchange}"
