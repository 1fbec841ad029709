"""The page at /api/docs, in a real browser that can reach nothing else."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import shoot
from tracking.models import Hit
from tracking.models.tokens.api_token import ApiToken
from tracking.openapi.samples import HIT


@pytest.fixture
def docs(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """The page, drawn. Fails if a request left for elsewhere or the console complained."""
    asked: list[Request] = []
    said: list[ConsoleMessage] = []
    page.on("request", lambda request: asked.append(request))
    page.on("console", lambda message: said.append(message))
    page.goto(f"{live_server.url}/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    yield page
    assert [each.text for each in said if each.type in {"warning", "error"}] == []
    hosts = {urlsplit(each.url).netloc for each in asked if not each.url.startswith("data:")}
    assert hosts == {urlsplit(live_server.url).netloc}


def test_a_hit_is_tried_out_with_a_token(docs: Page, secret: ApiToken) -> None:
    shoot(docs, "openapi")
    docs.click("button.authorize")
    docs.fill("#auth-basic-username", secret)
    docs.click(".auth-btn-wrapper button.authorize")
    docs.click(".btn-done")
    docs.click("#operations-Hits-track .opblock-summary-control")
    shoot(docs, "openapi-track")
    body = docs.locator("#operations-Hits-track textarea.body-param__text")
    assert json.loads(body.input_value()) == HIT
    docs.click("#operations-Hits-track .execute")
    answer = docs.locator("#operations-Hits-track .live-responses-table .response-col_status").last
    expect(answer).to_contain_text("204")
    shoot(docs, "openapi-tried")
    assert Hit.objects.get().payload == HIT


def test_the_page_is_dark_where_the_admin_is(docs: Page) -> None:
    def background() -> str:
        return str(docs.evaluate("getComputedStyle(document.querySelector('.opblock')).color"))

    docs.emulate_media(color_scheme="light")
    light = background()
    docs.emulate_media(color_scheme="dark")
    expect(docs.locator("html")).to_have_class("dark-mode")
    assert background() != light
