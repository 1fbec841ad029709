"""Setup in a browser, by clicks alone: the checklist from an empty system to done, and an
integration in its steps."""

import shlex
import subprocess
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import SignIn
from tests.console.test_analytics import happened, keep
from tests.support.axe import violations, violations_in_dark
from tests.support.browser import follow, shoot
from tests.support.operations import deliver
from tests.support.people import operator
from tests.support.vendor import Vendor, reply
from tracking.models import Integration, Token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_rules")]


def go_home(page: Page, done: int) -> None:
    follow(page, page.locator(".hs-nav").get_by_role("link", name="Home"))
    expect(page.locator(".hs-setup-head")).to_contain_text(f"{done} of 5 done")
    # One button is filled: that of the next step.
    expect(page.locator(".hs-setup a.button")).to_have_count(1)


def test_each_step_leads_to_where_it_is_done(sign_in: SignIn, vendor: Vendor) -> None:
    page = sign_in(operator(), "/console/")
    expect(page.get_by_role("link", name="Open the integration")).to_have_count(0)
    assert violations(page) == []
    assert violations_in_dark(page) == []

    follow(page, page.get_by_role("link", name="Issue a key"))
    page.fill("#id_name", "shop")
    follow(page, "input[name=_save]")
    command = shlex.split(page.locator("pre", has_text="curl").first.inner_text())
    assert " 204 " in subprocess.run([*command, "-s"], capture_output=True, text=True).stdout
    go_home(page, 1)

    follow(page, page.locator(".hs-setup").get_by_role("link", name="Add an integration"))
    follow(page, ".hs-destinations a[href*='=webhook']")
    page.fill("#id_config-url", vendor.url)
    follow(page, "input[name=_save]")
    go_home(page, 2)

    follow(page, page.get_by_role("link", name="Open the integration"))
    follow(page, page.get_by_role("button", name="Send a test event"))
    deliver()
    go_home(page, 3)
    shoot(page, "console-setup")

    follow(page, page.get_by_role("link", name="Add a channel"))
    follow(page, ".hs-destinations a[href*='=email']")
    page.fill("#id_name", "Operators")
    page.fill("#id_config-to", "ops@shop.example")
    follow(page, "input[name=_save]")
    go_home(page, 4)

    follow(page, page.get_by_role("link", name="Show the line"))
    expect(page.locator("#content")).to_contain_text("<script")
    seen = happened("Viewed Page", datetime.now(UTC), context={"page": {"path": "/"}})
    keep(Token.objects.get(), seen)
    follow(page, page.locator(".hs-nav").get_by_role("link", name="Home"))
    expect(page.locator(".hs-setup")).to_have_count(0)


def test_an_integration_is_found_tested_saved_and_tried(
    sign_in: SignIn, token: Token, vendor: Vendor
) -> None:
    page = sign_in(operator(), "/admin/hitstream/integration/add/")
    assert violations(page) + violations_in_dark(page) == []
    page.get_by_label("Destination").press_sequentially("any http api")
    expect(page.locator(".hs-destinations li:visible")).to_have_count(0)
    expect(page.locator("#hs-none")).to_be_visible()
    page.get_by_label("Destination").fill("json url")
    expect(page.locator(".hs-destinations li:visible")).to_have_count(1)
    follow(page, ".hs-destinations li:visible a")
    assert violations(page) + violations_in_dark(page) == []

    # A test tells what is wrong before anything is saved.
    vendor.answer = reply(401, b"no such key")
    page.fill("#id_config-url", vendor.url)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#hs-trial")).to_contain_text("does not work")
    vendor.answer = reply(200)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#hs-trial")).to_contain_text("It answered 200")
    assert not Integration.objects.exists()

    follow(page, "input[name=_save]")
    expect(page.locator("h1")).to_have_text("Webhook is set up")
    assert violations(page) + violations_in_dark(page) == []
    shoot(page, "integration-done")
    follow(page, page.get_by_role("button", name="Send a test event"))
    deliver()
    page.reload()
    expect(page.locator("#content")).to_contain_text("HTTP 200")
