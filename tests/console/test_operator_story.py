"""One operator's morning, in a real browser: from an empty system to books that balance."""

import shlex
import subprocess

import pytest
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.ledger import assert_exact
from tests.support.operations import deliver
from tests.support.people import operator
from tests.support.vendor import open_vendor, reply
from tracking.models import Integration
from tracking.models.operations.operation import run_operations

pytestmark = pytest.mark.django_db(transaction=True)


def curl(line: str, event: str = "Registered") -> None:
    """The line as the page showed it, for another event."""
    command = [each.replace("Registered", event) for each in shlex.split(line)]
    said = subprocess.run([*command, "-s"], capture_output=True, text=True, check=True).stdout
    assert " 204 " in said.splitlines()[0]


def test_from_an_empty_system_to_books_that_balance(sign_in: SignIn) -> None:
    page = sign_in(operator(), "/console/")
    follow(page, page.get_by_role("link", name="Issue one"))
    page.fill("#id_name", "Shop")
    follow(page, "input[name=_save]")
    line = page.locator("pre").nth(1).inner_text()
    home = page.url.split("/admin/")[0]

    # The first hit arrives while one looks.
    page.goto(f"{home}/console/live/")
    expect(page.locator("#hs-first")).to_contain_text("Waiting for the first hit")
    curl(line)
    expect(page.locator("#hs-first")).to_contain_text("The first hit has arrived: Registered")
    follow(page, page.locator("#hs-first").get_by_role("link", name="Registered"))
    expect(page.locator("#content")).to_contain_text("Registered")

    with open_vendor(reply(200)) as vendor:
        # A webhook is added.
        page.goto(f"{home}/console/integrations/")
        follow(page, page.get_by_role("link", name="Add an integration"))
        follow(page, ".hs-destinations a[href*='=webhook']")
        page.select_option("#id_token", label="Shop")
        page.fill("#id_name", "Orders")
        page.fill("#id_config-url", vendor.url)
        follow(page, "input[name=_save]")
        expect(page.locator("h1")).to_have_text("Orders is set up")
        curl(line, "Ordered")
        deliver()
        assert len(vendor.received) == 1

        # It breaks, and its page says why.
        vendor.answer = reply(401, b"the key was revoked")
        curl(line, "Ordered again")
        deliver()
        page.goto(f"{home}/console/integrations/")
        expect(page.locator(".hs-pill")).to_contain_text("wrong configuration")
        follow(page, page.get_by_role("link", name="Orders"))
        expect(page.locator("p.hs-paused")).to_contain_text("the key was revoked")
        assert violations(page) == []

        # It is repaired: what was held back goes out. One hit the vendor refuses for good.
        vendor.answer = reply(422, b"no such product")
        follow(page, ".hs-tools >> text=Configure")
        follow(page, "input[name=_save]")
        deliver()
        page.goto(f"{home}/console/integrations/")
        follow(page, page.get_by_role("link", name="Orders"))
        expect(page.locator("p.hs-paused")).to_have_count(0)
        expect(page.locator("#content")).to_contain_text("HTTP 422")

        # It is replayed.
        vendor.answer = reply(200)
        follow(page, ".hs-tools >> text=Replay")
        expect(page.locator(".hs-preview strong")).to_have_text("1")
        follow(page, "input[type=submit]")
        expect(page.locator(".hs-operations")).to_contain_text("Replay")
        run_operations(5, on_chunk=lambda operation: None)
        deliver()
        expect(page.locator(".hs-operations")).to_contain_text("Finished")

        # A test event goes the same way, and its page tells it.
        follow(page, "text=Send a test event")
        expect(page.locator("#content")).to_contain_text("Hitstream Test")
        deliver()
        page.reload()
        expect(page.locator("#content")).to_contain_text("HTTP 200")
        shoot(page, "console-story")

    # The books balance.
    page.goto(f"{home}/console/integrations/")
    follow(page, page.get_by_role("link", name="Orders"))
    follow(page, ".hs-tools >> text=Ledger")
    # matched, delivered, skipped, cancelled, dead, pending, retrying
    totals = [int(cell) for cell in page.locator("tfoot td").all_inner_texts()]
    assert totals == [3, 3, 0, 0, 0, 0, 0]
    expect(page.locator(".hs-wrong")).to_have_count(0)
    assert_exact(Integration.objects.get())

    # And who did all this is on record.
    page.goto(f"{home}/console/audit/")
    for text in ("Issued the token", "Added Orders", "Replay of Orders"):
        expect(page.locator("table")).to_contain_text(text)
