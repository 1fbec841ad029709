"""Long operations in a real browser: said first, watched, stopped and gone on with."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.browser import follow, shoot
from tests.support.hits import Send
from tests.support.ledger import assert_exact
from tests.support.operations import let_die, post, work
from tracking.models import DeadLetter, Integration, QueuedDelivery


@pytest.fixture
def opened(signed_in: Page, live_server: LiveServer, integration: Integration) -> Page:
    """The integration's page."""
    signed_in.goto(f"{live_server.url}/admin/hitstream/integration/{integration.pk}/change/")
    return signed_in


def elsewhere(act: Callable[..., object], *args: Any) -> None:
    """In a thread of its own, as a worker does: Playwright's loop runs in this one."""

    def work() -> None:
        act(*args)
        connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(work).result()


def test_a_replay_is_watched_stopped_and_gone_on_with(
    send: Send, integration: Integration, opened: Page
) -> None:
    page = opened
    elsewhere(let_die, send, integration, *("Ordered" for _ in range(7)), "Paid", "Paid")
    page.reload()
    shoot(page, "verbs-integration")
    follow(page, ".object-tools >> text=Replay")
    expect(page.locator(".hs-preview strong")).to_have_text("9")
    page.fill("#id_event", "Ordered")
    follow(page, "text=Update preview")
    expect(page.locator(".hs-preview strong")).to_have_text("7")
    expect(page.locator(".hs-preview details").first).to_contain_text('"name":"Ordered"')
    assert "very-secret-key" not in page.content()
    page.fill("#id_rate", "2")
    shoot(page, "verbs-replay")
    follow(page, "input[value='Replay dead letters']")
    expect(page.locator(".hs-pill")).to_have_text("Waiting")
    elsewhere(work, 1.5)
    expect(page.locator(".hs-pill")).to_have_text("Running")
    expect(page.locator("dd").first).to_contain_text("of 7, at most 2 hits/s")
    shoot(page, "verbs-running")
    follow(page, "input[value=Stop]")
    expect(page.locator(".hs-pill")).to_have_text("Stopped")
    shoot(page, "verbs-stopped")
    follow(page, "input[value='Resume']")
    elsewhere(work)
    expect(page.locator(".hs-pill")).to_have_text("Finished")
    expect(page.locator("dd").first).to_contain_text("7 of 7")
    shoot(page, "verbs-finished")
    assert (DeadLetter.objects.count(), QueuedDelivery.objects.count()) == (2, 7)
    assert_exact(integration)
    follow(page, ".breadcrumbs >> text=Operations")
    shoot(page, "verbs-operations")


def test_a_backfill_and_a_drain_are_asked_for(
    send: Send, integration: Integration, opened: Page
) -> None:
    page = opened
    Integration.objects.update(enabled=False)
    post(send, "Ordered", "Paid")
    Integration.objects.update(enabled=True)
    follow(page, ".object-tools >> text=Backfill")
    expect(page.locator(".hs-preview strong")).to_have_text("2")
    page.fill("#id_until", "2020-01-01T00:00:00")
    follow(page, "text=Update preview")
    expect(page.locator(".hs-preview strong")).to_have_text("0")
    expect(page.locator("#id_until")).to_have_value("2020-01-01T00:00")
    shoot(page, "verbs-backfill")
    follow(page, "text=Cancel")
    follow(page, ".object-tools >> text=Drain")
    shoot(page, "verbs-drain")
    follow(page, "input[type=submit]")
    expect(page.locator(".hs-pill", has_text="draining")).to_be_visible()
