"""All of Hitstream, once for all files of this folder that a process runs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.embedded.postgres import EmbeddedPostgres
from project.embedded.secret import PASSWORD, keep_secret
from project.embedded.valkey import EmbeddedValkey
from tests.support.cluster import MigratedPostgres
from tests.support.stack import Stack, running

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.stack.settings", "DJANGO_SUPERUSER_PASSWORD": "stack"}


@pytest.fixture(scope="package")
def directory() -> Iterator[Path]:
    # Not pytest's own: Postgres runs as another user where the tests run as root.
    with tempfile.TemporaryDirectory(prefix="hitstream-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="package")
def postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = MigratedPostgres(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="package")
def broker(directory: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(directory)
    with server:
        yield server
    server.remove()


@pytest.fixture(scope="package")
def stack(directory: Path, postgres: EmbeddedPostgres, broker: EmbeddedValkey) -> Iterator[Stack]:
    with running(directory, postgres.url, broker.url, **SETTINGS) as stack:
        keep_secret(directory / "var" / PASSWORD, SETTINGS["DJANGO_SUPERUSER_PASSWORD"])
        stack.manage("createsuperuser", "--noinput", "--username=admin", "--email=a@example.com")
        yield stack
