"""A live server, and for each test a token, a tap, and pages that another site serves."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from tests.support.live import serving
from tests.support.tap import Tap, open_tap, serve

HERE = Path(__file__).parent
Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def packages() -> None:
    """The SDKs of package.json are there, in these very versions."""
    for name, version in json.loads((HERE / "package.json").read_text())["dependencies"].items():
        found = HERE / "node_modules" / name / "package.json"
        if not found.exists() or json.loads(found.read_text())["version"] != version:
            pytest.fail(f"{name} {version} is missing. Type: make -B clients", pytrace=False)


@pytest.fixture(scope="package")
def server(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("clients") / "log") as port:
        yield port


@pytest.fixture
def tap(packages: None, server: int) -> Iterator[Tap]:
    with open_tap(server) as tap:
        yield tap


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="package")
def site(packages: None) -> Iterator[str]:
    """Where the pages are, and the packages' own bundles: another site than the server's."""
    with serve(partial(Quiet, directory=HERE)) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """Opens a page that sends to a tap with a key; keywords are its SDK's options. Nothing is
    asked of anybody else."""
    asked: set[str] = set()
    allowed = {site}
    complaints: list[str] = []
    with chromium.new_context() as context:
        # Not `route`: Playwright then answers the preflights itself.
        context.on("request", lambda request: asked.add(origin(request.url)))
        context.on("weberror", lambda error: complaints.append(str(error.error)))

        def visit(name: str, tap: Tap, key: str, **options: Any) -> Page:
            allowed.add(tap.url)
            told = {"host": tap.url, "key": key, "options": json.dumps(options)}
            page = context.new_page()
            page.goto(f"{site}/pages/{name}?{urlencode(told)}")
            page.wait_for_function("!!window.send")
            return page

        yield visit
    assert asked == allowed
    assert complaints == []


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
