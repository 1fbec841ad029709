"""A site that passes a path of its own on to Hitstream."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.script.conftest import names, settled
from tests.script.web import PAGE, Web, serving
from tests.support.waiting import wait_until
from tracking.models import Hit, Token

Stored = Callable[[int], list[Hit]]


@pytest.fixture
def own(live: int, token: Token) -> Iterator[Web]:
    """The shop with a reverse proxy, under another prefix than ours."""
    with serving("localhost", upstream=live, prefix="/shop/x/", onto="/f/") as web:
        web.html = f'{PAGE}<script defer src="/shop/x/{token.path}.js"></script>'
        yield web


def test_a_page_view_goes_by_the_sites_own_path(
    own: Web, page: Page, token: Token, stored: Stored
) -> None:
    token.origins = [own.origin]
    token.save()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{own.origin}/boots")
    assert names(stored(1)) == ["Viewed Page"]
    settled(page)
    path = f"{own.origin}/shop/x/{token.path}"
    assert asked == [f"{own.origin}/boots", f"{path}.js", path]


def test_it_says_nothing_that_names_us_and_leaves_the_sites_cookies_at_home(
    own: Web, page: Page, token: Token, stored: Stored
) -> None:
    page.context.add_cookies([{"name": "session", "value": "secret", "url": own.origin}])
    page.goto(f"{own.origin}/boots")
    stored(1)
    (post,) = own.posts
    assert "Cookie" not in post.headers
    assert post.path == f"/shop/x/{token.path}"
    assert b"projectId" not in post.body
    assert b"hitstream" not in post.body


def test_another_site_that_copies_the_tag_is_refused(
    own: Web, page: Page, token: Token, stored: Stored
) -> None:
    token.origins = ["https://shop.example"]
    token.save()
    page.goto(f"{own.origin}/boots")
    wait_until(lambda: own.posts, within=10)
    # A hit that is refused for good leaves the queue as soon as that is known.
    settled(page)
    assert stored(0) == []


def test_a_beacon_goes_by_the_sites_own_path_too(own: Web, page: Page, stored: Stored) -> None:
    own.refuse_all(503, retry_after="300")
    page.goto(f"{own.origin}/boots?one=1")
    wait_until(lambda: own.posts, within=10)
    own.pass_all()
    page.goto("about:blank")
    assert names(stored(1)) == ["Viewed Page"]


def test_a_version_in_the_scripts_address_does_no_harm(
    own: Web, page: Page, stored: Stored
) -> None:
    own.html = own.html.replace(".js", ".js?v=2.js")
    page.goto(f"{own.origin}/boots")
    assert names(stored(1)) == ["Viewed Page"]
