"""A browser that is signed in to the console."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import chromium, page  # noqa: F401 (fixtures)

SignIn = Callable[[User, str], Page]


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> SignIn:  # noqa: F811
    """The page of this path, as this person sees it."""

    def open_as(user: User, path: str = "/console/") -> Page:
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.goto(f"{live_server.url}{path}")
        return page

    return open_as
