import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.form_client import FormClient
from tests.support.ports import free_port
from tests.wheel.stranger import ROOT, Stranger, database, run, settle_in


def build(source: Path, directory: Path) -> Path:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory, source)
    return next(directory.glob("*.whl"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def pigeon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that brings a destination."""
    source = tmp_path_factory.mktemp("source") / "pigeon"
    shutil.copytree(Path(__file__).parent / "pigeon", source)
    return build(source, tmp_path_factory.mktemp("pigeon"))


@pytest.fixture(scope="session")
def host(wheel: Path, pigeon: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    stranger = settle_in(tmp_path_factory.mktemp("stranger"), wheel, pigeon)
    with database():
        stranger.manage("migrate", "--verbosity", "0")
        stranger.manage("createsuperuser", "--noinput", "--username", "root", "--email", "r@a.bc")
        yield stranger
    # pytest keeps the directories of three runs; these would be a lot to keep.
    shutil.rmtree(stranger.bin.parent)


@pytest.fixture(scope="session")
def site(host: Stranger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the project under gunicorn."""
    address = f"127.0.0.1:{free_port()}"
    log = tmp_path_factory.mktemp("log") / "gunicorn.log"
    options = ("--bind", address, "--workers", "1", "--threads", "4")
    with host.running(log, "Booting worker", "gunicorn", *options, "host.wsgi"):
        yield f"http://{address}"


@pytest.fixture
def browser(site: str) -> FormClient:
    return FormClient(site)


@pytest.fixture
def operator(browser: FormClient) -> FormClient:
    """Somebody who is logged in to the admin."""
    browser.submit("/admin/login/", username="root", password="secret")
    return browser
