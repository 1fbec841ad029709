"""A shop on one origin, Hitstream on another, and a browser that visits the shop."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.script.web import PAGE, Web, serving
from tests.support import live as server
from tests.support.waiting import wait_until
from tracking.models import Hit, Token

SECONDS = 15.0

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def live(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of Hitstream itself."""
    with server.serving(tmp_path_factory.mktemp("live") / "log") as port:
        yield port


@pytest.fixture
def hits(live: int) -> Iterator[Web]:
    """The way to Hitstream: tests can close it."""
    with serving(upstream=live) as web:
        yield web


@pytest.fixture
def shop() -> Iterator[Web]:
    """Another site than that of `hits`, by its host's name."""
    with serving("localhost") as web:
        yield web


@pytest.fixture
def visit(page: Page, shop: Web, hits: Web, token: Token) -> Visit:
    """Opens a page of the shop that has the script. `before` is HTML that comes before it."""

    def open_page(
        path: str = "/boots", *, attributes: str = "", before: str = "", tab: Page | None = None
    ) -> Page:
        tag = f'<script defer src="{hits.origin}/t.js" data-project="{token.project_id}"'
        shop.html = f"{PAGE}{before}{tag} {attributes}></script>"
        opened = tab or page
        opened.goto(shop.origin + path)
        return opened

    return open_page


@pytest.fixture
def stored(token: Token) -> Callable[[int], list[Hit]]:
    """The token's hits in the order in which they happened, once there are so many."""

    def wait(count: int) -> list[Hit]:
        found = Hit.objects.filter(token=token)
        wait_until(lambda: found.count() >= count, within=SECONDS)
        assert found.count() == count
        return list(found.order_by("payload__timestamp", "id"))

    return wait


def names(hits: list[Hit]) -> list[str]:
    return [hit.name for hit in hits]


def track(page: Page, *values: Any) -> None:
    page.evaluate("values => hitstream.track(...values)", list(values))


def storage(page: Page) -> dict[str, str]:
    """What the script keeps in the browser."""
    kept: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
    return kept


def queued(page: Page) -> list[str]:
    """The bodies that wait in the browser, oldest first."""
    return [body for key, body in sorted(storage(page).items()) if body.startswith("{")]


def settled(page: Page) -> None:
    """Nothing waits in the browser any more."""
    wait_until(lambda: not queued(page), within=SECONDS)
