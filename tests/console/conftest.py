"""A browser that is signed in to the console."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

SignIn = Callable[[User, str], Page]


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Iterator[SignIn]:
    """The page of this path, as this person sees it. Whatever its Content-Security-Policy forbids
    fails the test."""
    forbidden: list[str] = []
    page.on("console", lambda said: forbidden.extend(violation(said)))

    def open_as(user: User, path: str = "/console/") -> Page:
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_as
    assert not forbidden, forbidden


def violation(said: ConsoleMessage) -> list[str]:
    """What the policy forbade the page, but not what axe.py does itself."""
    is_ours = "Content Security Policy" in said.text and said.location["url"] != "axe.js"
    return [f"{said.location['url']}: {said.text}"] if is_ours else []
