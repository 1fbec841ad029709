"""What a newcomer does: start it, log in, set up a webhook, type the printed curl line."""

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page
from standardwebhooks import Webhook

from project.embedded.banner import welcome
from project.embedded.secret import PASSWORD, TOKEN, keep_secret
from tests.support.browser import follow
from tests.support.stack import Stack
from tests.support.vendor import Vendor
from tests.support.waiting import wait_until


def test_the_printed_curl_line_reaches_a_webhook_set_up_in_the_browser(
    page: Page, stack: Stack, directory: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITSTREAM_VAR", str(directory / "var"))
    for name in ("DATABASE_URL", "BROKER_URL"):
        monkeypatch.delenv(name)
    keep_secret(directory / "var" / TOKEN, stack.issue("development"))
    printed = re.search(r"Try it\s+(curl .*)", welcome(f"http://127.0.0.1:{stack.port}", 1.0))
    password = (directory / "var" / PASSWORD).read_text().strip()
    assert printed is not None
    secret = set_up_webhook(page, f"http://127.0.0.1:{stack.port}", password, vendor.url)
    started = time.monotonic()
    answer = subprocess.run(
        [*shlex.split(printed[1]), "-s"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[0] == "HTTP/1.1 204 No Content"
    wait_until(lambda: vendor.received, within=4)
    print(f"From curl to the webhook: {time.monotonic() - started:.2f} s")  # noqa: T201
    received = vendor.received[0]
    Webhook(secret).verify(received.body, received.headers)
    assert received.json["data"]["payload"]["event"]["name"] == "Registered"


def set_up_webhook(page: Page, site: str, password: str, url: str) -> str:
    """The development token's hits go there; the signing secret that was shown once."""
    page.goto(f"{site}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", password)
    follow(page, "input[type=submit]")
    follow(page, "#content-main a[href='/admin/hitstream/token/']")
    follow(page, "#result_list a:has-text('development')")
    follow(page, "text=Add integration")
    follow(page, ".hs-destinations a[href*='=webhook']")
    page.fill("#id_name", "My receiver")
    page.fill("#id_config-url", url)
    follow(page, "input[name=_save]")
    return page.locator("pre").inner_text()


def test_a_page_that_is_not_there_leads_back_and_the_icon_is_there(stack: Stack) -> None:
    site = f"http://127.0.0.1:{stack.port}"
    missing = requests.get(f"{site}/nope/", timeout=10)
    assert missing.status_code == 404
    assert "There is no page at <code>/nope/</code>" in missing.text
    assert 'href="/console/"' in missing.text
    icon = requests.get(f"{site}/favicon.ico", timeout=10)
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
