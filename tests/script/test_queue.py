"""The queue in the browser: shared by tabs, and bounded."""

from collections.abc import Callable

from tests.script.conftest import SECONDS, Visit, queued, settled, storage, track
from tests.script.web import Web
from tests.support.waiting import wait_until
from tracking.models import Hit

Stored = Callable[[int], list[Hit]]


def test_a_tab_that_is_left_does_not_send_what_waits_in_another(visit: Visit, hits: Web) -> None:
    hits.refuse_all(503, retry_after="300")
    first = visit("/one", attributes="data-manual")
    second = visit("/two", attributes="data-manual", tab=first.context.new_page())
    track(first, "Tried")
    track(first, "Waiting")
    wait_until(lambda: hits.names() == ["Tried"], within=SECONDS)
    wait_until(lambda: len(queued(second)) == 2, within=SECONDS)
    track(second, "Second")
    second.goto("about:blank")
    wait_until(lambda: "Second" in hits.names(), within=SECONDS)
    second.wait_for_timeout(300)
    assert "Waiting" not in hits.names()


def test_two_tabs_lose_nothing_and_send_nothing_for_ever(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.refuse_all(503)
    first = visit("/one")
    second = visit("/two", tab=first.context.new_page())
    for number in range(10):
        track(first, f"First {number}")
        track(second, f"Second {number}")
    # Another process of the browser: it is told a moment later.
    wait_until(lambda: len(queued(first)) == 22, within=SECONDS)
    hits.pass_all()
    found = stored(22)
    assert {hit.anonymous_id for hit in found} == {storage(first)["hitstream.id"]}
    settled(first)
    settled(second)
    sent = len(hits.posts)
    first.wait_for_timeout(2500)
    assert len(hits.posts) == sent
    stored(22)


def test_the_newest_hundred_or_so_are_kept(visit: Visit, hits: Web) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit()
    page.evaluate("() => { for (let i = 0; i < 150; i++) hitstream.track('Event ' + i) }")
    kept = queued(page)
    assert 90 <= len(kept) <= 110
    assert '"Event 149"' in "".join(kept)
    assert '"Viewed Page"' not in "".join(kept)


def test_large_events_do_not_fill_the_sites_storage(visit: Visit, hits: Web) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit()
    page.evaluate(
        "() => { for (let i = 0; i < 50; i++) hitstream.track('' + i, {text: 'x'.repeat(6e4)}) }"
    )
    kept = queued(page)
    assert sum(map(len, kept)) <= 600_000
    assert '"name":"49"' in "".join(kept)


def test_what_is_older_than_the_server_remembers_is_not_sent(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    hits.refuse_all(503, retry_after="300")
    page = visit("/one")
    page.goto("about:blank")
    # The request and the beacon.
    wait_until(lambda: len(hits.posts) == 2, within=SECONDS)
    hits.pass_all()
    page.clock.set_fixed_time("2099-01-01")
    visit("/two")
    settled(page)
    (hit,) = stored(1)
    assert hit.payload["event"]["page"]["path"] == "/two"
