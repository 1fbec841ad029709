"""`make test-deploy` alone runs this folder: it installs packages, and starts Debian's servers."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.debian import ROOT, Certificate, Postgres, certify, redis
from tests.deploy.site import Site, give_passwords, install_server, make_secrets
from tests.support.ports import HOST, free_port
from tests.wheel.conftest import build

collect_ignore_glob = [] if os.environ.get("HITSTREAM_TEST_DEPLOY") else ["test_*.py"]


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that Postgres' user may enter, too."""
    with tempfile.TemporaryDirectory(prefix="hitstream-deploy-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def wheel(folder: Path) -> Path:
    return build(ROOT, folder / "wheel")


@pytest.fixture(scope="session")
def command(folder: Path, wheel: Path) -> Path:
    """The command of the wheel with the extra `server`, in an environment of its own."""
    return install_server(folder, wheel)


@pytest.fixture(scope="session")
def certificate(folder: Path) -> Certificate:
    return certify(folder)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgres")
    server.create()
    with server.running():
        yield server


@pytest.fixture(scope="session")
def valkey_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def secrets(folder: Path, postgres: Postgres, valkey_port: int) -> Path:
    """The secrets, once the roles have their passwords."""
    made = make_secrets(folder, postgres, valkey_port)
    give_passwords(postgres, made, folder)
    return made


@pytest.fixture(scope="session")
def valkey(folder: Path, secrets: Path, valkey_port: int) -> Iterator[str]:
    """The address of Debian's Redis."""
    with redis(folder, valkey_port, (secrets / "valkey_password").read_text().strip()):
        yield (secrets / "broker_url").read_text()


@pytest.fixture(scope="session")
def site(folder: Path, command: Path, secrets: Path, valkey: str) -> Site:
    """A migrated database, and an administrator."""
    made = Site(folder, command, secrets, valkey)
    made.run("migrate", "--verbosity", "0", owner=True)
    options = ("--noinput", "--username", "root", "--email", "root@hits.example")
    made.run("manage", "createsuperuser", *options, DJANGO_SUPERUSER_PASSWORD="open sesame")
    assert HOST in valkey
    return made
