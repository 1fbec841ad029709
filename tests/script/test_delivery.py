"""No event is lost on the way, and none is sent for ever."""

from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.script.conftest import SECONDS, Visit, names, queued, settled, track
from tests.script.web import DROP, Web
from tests.support.waiting import wait_until
from tracking.models import Hit

Stored = Callable[[int], list[Hit]]


@pytest.mark.parametrize("status", [DROP, 408, 429, 500, 503])
def test_what_may_work_later_is_sent_again(
    visit: Visit, stored: Stored, hits: Web, status: int
) -> None:
    hits.refuse_all(status)
    page = visit()
    track(page, "Added Product")
    wait_until(lambda: len(hits.posts) >= 2, within=SECONDS)
    hits.pass_all()
    assert names(stored(2)) == ["Viewed Page", "Added Product"]
    settled(page)


def test_a_retry_waits_as_long_as_the_server_says(visit: Visit, stored: Stored, hits: Web) -> None:
    hits.refuse_all(503, retry_after="3")
    page = visit()
    for number in range(5):
        track(page, f"Event {number}")
    wait_until(lambda: hits.posts, within=SECONDS)
    hits.pass_all()
    assert names(stored(6)) == ["Viewed Page", *(f"Event {number}" for number in range(5))]
    first, second = hits.posts[:2]
    assert second.at - first.at >= 3


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_will_never_work_is_not_sent_again(
    visit: Visit, stored: Stored, hits: Web, status: int
) -> None:
    hits.refuse_all(status)
    page = visit()
    settled(page)
    hits.pass_all()
    track(page, "Added Product")
    assert names(stored(1)) == ["Added Product"]
    assert hits.names() == ["Viewed Page", "Added Product"]


def test_a_hit_that_always_fails_does_not_hold_up_the_others(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.gate = lambda body: 500 if b"Poison" in body else None
    page = visit()
    track(page, "Poison")
    track(page, "After")
    assert names(stored(2)) == ["Viewed Page", "After"]
    # A hit is stored before the browser reads the answer and forgets it.
    wait_until(lambda: len(queued(page)) == 1, within=10)


def test_an_event_that_is_too_large_is_dropped_and_the_next_is_not(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    page = visit()
    track(page, "Large", {"text": "ж" * 40_000})
    track(page, "After")
    assert names(stored(2)) == ["Viewed Page", "After"]
    settled(page)
    assert "Large" in hits.names()


def test_an_event_of_almost_64_kb_arrives(visit: Visit, stored: Stored) -> None:
    page = visit()
    track(page, "Large", {"text": "x" * 64_500})
    assert names(stored(2)) == ["Viewed Page", "Large"]
    settled(page)


def test_what_the_server_did_not_take_comes_with_the_next_page(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.refuse_all(DROP)
    page = visit("/one")
    track(page, "Added Product")
    page.goto("about:blank")
    hits.pass_all()
    visit("/two")
    assert names(stored(3)) == ["Viewed Page", "Added Product", "Viewed Page"]
    settled(page)


def test_what_happens_on_the_way_out_arrives_without_a_next_page(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit()
    page.evaluate("""() => {
        addEventListener("pagehide", () => hitstream.track("Left"));
        addEventListener("visibilitychange", () => hitstream.track("Hidden"));
        hitstream.track("Added Product");
    }""")
    wait_until(lambda: hits.posts, within=SECONDS)
    hits.pass_all()
    page.goto("about:blank")
    found = names(stored(4))
    assert found[:2] == ["Viewed Page", "Added Product"]
    assert sorted(found[2:]) == ["Hidden", "Left"]


def test_a_beacon_that_was_lost_is_made_good_by_the_next_page_and_counts_once(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit("/one")
    wait_until(lambda: hits.posts, within=SECONDS)
    hits.pass_all()
    page.goto("about:blank")
    stored(1)
    visit("/two")
    stored(2)
    settled(page)
    assert Counter(post.json["hitId"] for post in hits.posts).most_common(1)[0][1] == 3


def test_a_page_that_is_hidden_and_shown_sends_one_beacon(visit: Visit, hits: Web) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit()
    wait_until(lambda: hits.posts, within=SECONDS)
    for _ in range(3):
        hide(page)
    page.goto("about:blank")
    page.wait_for_timeout(300)
    assert len(hits.posts) == 2


def hide(page: Page) -> None:
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
