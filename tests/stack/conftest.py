"""All of Hitstream for the tests of a module, and a vendor for each test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.valkey import EmbeddedValkey
from tests.support.stack import Stack, running
from tests.support.vendor import Vendor, open_vendor, reply


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Not pytest's own: Postgres runs as another user where the tests run as root.
    with tempfile.TemporaryDirectory(prefix="hitstream-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def broker(directory: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def stack(directory: Path, postgres: EmbeddedPostgres, broker: EmbeddedValkey) -> Iterator[Stack]:
    with running(directory, postgres.url, broker.url) as stack:
        yield stack


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_vendor(reply()) as vendor:
        yield vendor
