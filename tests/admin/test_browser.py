"""From an empty admin to a delivered hit, in a real browser."""

import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer
from standardwebhooks import Webhook

from tests.browser import chromium, page, shoot  # noqa: F401 (fixtures)
from tests.destinations.vendor import open_vendor, reply
from tracking.models import Integration, Token
from tracking.outbox.engine import engine


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer) -> Page:  # noqa: F811
    User.objects.create_superuser("admin", password="admin")
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    page.click("text=Log in")
    return page


def issue(page: Page) -> str:  # noqa: F811
    """The curl line of a fresh token, after the page that shows it."""
    page.click("a[href='/admin/tracking/token/add/']")
    page.fill("#id_name", "Shop")
    page.click("input[name=_save]")
    expect(page.locator("h1")).to_have_text("API token issued")
    return page.locator("pre").nth(1).inner_text()


def deliver_elsewhere(integration_id: int) -> None:
    """In a thread of its own, as a worker does: Playwright's loop runs in this one."""

    def work() -> None:
        engine.run()
        connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(work).result()


def test_a_token_is_issued_and_its_curl_line_works(signed_in: Page) -> None:
    page = signed_in  # noqa: F811
    shoot(page, "index-empty")
    curl = issue(page)
    shoot(page, "token-issued")
    page.locator("[data-copy]").first.click()
    expect(page.locator("[data-copy]").first).to_have_text("Copied")
    answer = subprocess.run([*shlex.split(curl), "-s"], capture_output=True, text=True, check=True)
    assert " 204 " in answer.stdout.splitlines()[0]
    secret = page.locator("pre").first.inner_text()
    page.click("text=Go on to")
    assert secret not in page.content()
    shoot(page, "token")


def test_a_webhook_is_set_up_and_the_hit_arrives_signed(signed_in: Page) -> None:
    page = signed_in  # noqa: F811
    curl = issue(page)
    page.click("text=Go on to")
    page.click("text=Add integration")
    shoot(page, "destinations")
    page.click("text=Webhook")
    page.fill("#id_name", "Orders")
    page.fill("#id_config-url", "not a url")
    page.click("input[name=_save]")
    expect(page.locator(".errorlist")).to_have_count(1)
    shoot(page, "integration-error")
    with open_vendor(reply(200, b'{"ok": true}')) as vendor:
        page.fill("#id_config-url", vendor.url)
        page.check("#id_keep_bodies")
        shoot(page, "integration-form")
        page.click("input[name=_save]")
        expect(page.locator("h1")).to_have_text("Orders is set up")
        shoot(page, "integration-issued")
        secret = page.locator("pre").inner_text()
        subprocess.run([*shlex.split(curl), "-s"], capture_output=True, check=True)
        deliver_elsewhere(Integration.objects.get().pk)
        received = vendor.received[0]
    Webhook(secret).verify(received.body, received.headers)
    page.click("text=Go on to")
    assert secret not in page.content()
    shoot(page, "integration")
    page.click("text=Deliveries >> nth=-1")
    expect(page.locator(".hs-good")).to_have_text("Delivered")
    shoot(page, "deliveries")
    page.click("#result_list td a")
    page.click("summary")
    expect(page.locator("details pre").nth(1)).to_contain_text('{"ok": true}')
    shoot(page, "hit")


def test_pause_rotate_and_revoke(signed_in: Page) -> None:
    page = signed_in  # noqa: F811
    issue(page)
    page.click("text=Go on to")
    page.click("text=Rotate")
    shoot(page, "rotate")
    page.select_option("#id_grace", "3600")
    page.click("input[type=submit]")
    expect(page.locator("h1")).to_have_text("API token issued")
    token = Token.objects.get()
    assert token.retiring_digest is not None
    page.click("text=Go on to")
    page.click("text=Revoke")
    page.click("input[type=submit]")
    expect(page.locator(".hs-bad")).to_have_text("revoked")
    shoot(page, "tokens")
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert [revision.made_by for revision in token.revisions.all()] == ["admin"] * 3
