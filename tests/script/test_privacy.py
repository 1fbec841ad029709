"""Who does not want to be seen is not: nothing is sent, and nothing is kept in the browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.script.conftest import SECONDS, Visit, names, settled, storage, track
from tests.script.web import Web
from tests.support.waiting import wait_until
from tracking.models import Hit

Stored = Callable[[int], list[Hit]]

CALL_ALL = """() => {
    hitstream.track("Added Product");
    hitstream.page();
    hitstream.identify("u1");
    hitstream.reset();
    hitstream.optIn();
    hitstream.push(["track", "Pushed"]);
}"""
OPTED_OUT = {"hitstream-choice": "out"}


def assert_nothing_happens(page: Page, hits: Web) -> None:
    """Whatever the site calls, until the page is left."""
    page.evaluate(CALL_ALL)
    page.evaluate("() => history.pushState({}, '', '/elsewhere')")
    page.wait_for_timeout(300)
    kept = storage(page)
    page.goto("about:blank")
    page.wait_for_timeout(300)
    assert kept == {}
    assert hits.posts == []


@pytest.mark.parametrize(
    ("signal", "value"),
    [("doNotTrack", "'1'"), ("doNotTrack", "'yes'"), ("globalPrivacyControl", "true")],
)
def test_a_browser_that_asks_not_to_be_tracked_is_not(
    visit: Visit, page: Page, hits: Web, signal: str, value: str
) -> None:
    page.add_init_script(
        f"Object.defineProperty(Navigator.prototype, '{signal}', {{get: () => {value}}})"
    )
    assert_nothing_happens(visit(), hits)


@pytest.mark.parametrize("value", ["'0'", "'unspecified'", "null"])
def test_any_other_do_not_track_means_no_such_wish(
    visit: Visit, stored: Stored, page: Page, value: str
) -> None:
    page.add_init_script(
        f"Object.defineProperty(Navigator.prototype, 'doNotTrack', {{get: () => {value}}})"
    )
    visit()
    assert names(stored(1)) == ["Viewed Page"]


def test_what_was_kept_is_erased_once_the_browser_asks_not_to_be_tracked(
    visit: Visit, page: Page, hits: Web
) -> None:
    hits.refuse_all(503, retry_after="300")
    visit()
    assert len(storage(page)) == 2
    page.goto("about:blank")
    # The request and the beacon.
    wait_until(lambda: len(hits.posts) == 2, within=SECONDS)
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
    )
    hits.posts.clear()
    assert_nothing_happens(visit(), hits)


def test_who_opts_out_is_forgotten_and_stays_out(visit: Visit, stored: Stored, hits: Web) -> None:
    page = visit()
    page.evaluate("() => hitstream.identify('u1')")
    stored(1)
    settled(page)
    hits.refuse_all(503)
    track(page, "Added Product")
    wait_until(lambda: "Added Product" in hits.names(), within=SECONDS)
    page.evaluate("() => hitstream.optOut()")
    assert storage(page) == OPTED_OUT
    hits.pass_all()
    visit("/next")
    track(page, "Added Product")
    page.evaluate("() => hitstream.identify('u1')")
    page.goto("about:blank")
    visit("/again")
    assert storage(page) == OPTED_OUT
    stored(1)


def test_who_opts_in_again_is_somebody_new_and_seen_at_once(visit: Visit, stored: Stored) -> None:
    page = visit()
    stored(1)
    page.evaluate("() => { hitstream.optOut(); hitstream.optIn(); hitstream.optIn() }")
    before, after = stored(2)
    settled(page)
    assert names([before, after]) == ["Viewed Page"] * 2
    assert before.anonymous_id != after.anonymous_id
    stored(2)


def test_opting_out_in_one_tab_counts_in_the_other(visit: Visit, stored: Stored, hits: Web) -> None:
    first = visit()
    second = visit("/other", tab=first.context.new_page())
    stored(2)
    settled(first)
    first.evaluate("() => hitstream.optOut()")
    # Another process of the browser: it is told a moment later.
    wait_until(lambda: storage(second) == OPTED_OUT, within=SECONDS)
    track(second, "Added Product")
    second.goto("about:blank")
    stored(2)
    # Under load a page view may be sent again before its answer is there; it is stored once.
    assert set(hits.names()) == {"Viewed Page"}


def test_where_consent_comes_first_assert_nothing_happens_before(visit: Visit, hits: Web) -> None:
    page = visit(attributes="data-opt-in")
    track(page, "Added Product")
    page.wait_for_timeout(300)
    assert storage(page) == {}
    assert hits.posts == []


def test_consent_is_remembered_and_the_page_of_the_consent_counts(
    visit: Visit, stored: Stored
) -> None:
    page = visit("/one", attributes="data-opt-in")
    page.evaluate("() => hitstream.optIn()")
    stored(1)
    visit("/two", attributes="data-opt-in")
    paths = [hit.payload["event"]["page"]["path"] for hit in stored(2)]
    assert paths == ["/one", "/two"]


def test_a_browser_without_storage_is_counted_for_as_long_as_the_page_lives(
    visit: Visit, stored: Stored, shop: Web, hits: Web
) -> None:
    # A sandboxed page: localStorage throws, as with blocked cookies; the origin is `null`.
    shop.headers["Content-Security-Policy"] = "sandbox allow-scripts"
    hits.refuse_all(503, retry_after="1")
    page = visit()
    page.evaluate("() => hitstream.identify('u1')")
    track(page, "Added Product")
    hits.pass_all()
    view, added = stored(2)
    assert view.anonymous_id == added.anonymous_id
    assert added.user_id == "u1"
    page.evaluate("() => hitstream.optOut()")
    track(page, "Added Product")
    page.goto("about:blank")
    stored(2)


def test_a_browser_that_has_no_storage_at_all_is_counted(
    visit: Visit, stored: Stored, page: Page
) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', {value: null})")
    visit()
    assert names(stored(1)) == ["Viewed Page"]


def test_a_full_storage_costs_no_event(visit: Visit, stored: Stored) -> None:
    page = visit()
    stored(1)
    settled(page)
    page.evaluate("""() => {
        for (let size = 2 ** 23; size >= 1; size /= 2)
            try { localStorage["full" + size] = "x".repeat(size) } catch {}
    }""")
    track(page, "Added Product")
    assert names(stored(2)) == ["Viewed Page", "Added Product"]
