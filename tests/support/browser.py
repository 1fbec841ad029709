"""Debian's Chromium, driven by Playwright: what an operator sees and clicks."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tracking.server.parent import die_with_parent

START_SECONDS = 60.0
CONNECT_MILLISECONDS = 120_000
#: For a page, an element or a state of it, on a busy machine.
PAGE_MILLISECONDS = 30_000
FLAGS = [
    "--headless",
    # No page of its own: a connection would wait for each that is there.
    "--no-startup-window",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-default-apps",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    # A page in the background keeps its timers and its frames.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-features=Translate,HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--mute-audio",
    "--metrics-recording-only",
    "--password-store=basic",
]


@pytest.fixture(scope="session")
def chromium_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The WebSocket address of the one Chromium of this process."""
    # The shell has no window to draw: a page costs it half the time.
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert executable, "Chromium is missing: make test-deps"
    profile = tmp_path_factory.mktemp("chromium")
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(
            [executable, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    try:
        yield address_of(process, profile)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def address_of(process: "subprocess.Popen[bytes]", profile: Path) -> str:
    """Return the address that Chromium writes once it listens: its port, then the path."""
    written = profile / "DevToolsActivePort"
    ends = time.monotonic() + START_SECONDS
    while not written.exists() or len(lines := written.read_text().split()) < 2:
        assert process.poll() is None, (profile / "log").read_text()
        assert time.monotonic() < ends, (profile / "log").read_text()
        time.sleep(0.02)
    port, path = lines[:2]
    return f"ws://127.0.0.1:{port}{path}"


@pytest.fixture(scope="module")
def chromium(chromium_address: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Playwright's loop runs in this thread, and Django takes it for an async caller.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        expect.set_options(timeout=PAGE_MILLISECONDS)
        browser = playwright.chromium.connect_over_cdp(
            chromium_address, timeout=CONNECT_MILLISECONDS
        )
        yield browser
        # Closes the connection; Chromium goes on.
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh profile; anything that the page's console complains about fails the test."""
    complaints: list[str] = []
    # The headless shell grants nothing by itself.
    granted = ["clipboard-read", "clipboard-write"]
    with chromium.new_context(
        viewport={"width": 1280, "height": 900}, permissions=granted
    ) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(PAGE_MILLISECONDS)
        yield page
    assert not complaints, complaints


def follow(page: Page, target: str | Locator) -> None:
    """Click what leads to another page, and return once that page is loaded.

    A click alone returns before, and what is read at once is then read from the page that is left.
    """
    with page.expect_navigation():
        (page.locator(target).first if isinstance(target, str) else target).click()


def shoot(page: Page, name: str) -> None:
    """A screenshot light and dark, wide and narrow, where HITSTREAM_SCREENSHOTS names a folder."""
    folder = os.environ.get("HITSTREAM_SCREENSHOTS")
    if not folder:
        return
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 900), (390, 860)):
            page.set_viewport_size({"width": width, "height": height})
            path = Path(folder) / f"{name}-{scheme}-{width}.png"
            page.screenshot(path=path, full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def unfold(page: Page) -> None:
    """Open every folded part of the form."""
    page.locator("fieldset > details").evaluate_all("all => all.forEach(each => each.open = true)")
