"""What the script says of a visit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page

from tests.script.conftest import Visit, names, settled, storage, track
from tests.script.web import Web
from tracking.models import Hit, Token

Stored = Callable[[int], list[Hit]]


def test_a_page_view_is_stored_as_the_vendors_sdk_has_it(
    visit: Visit, stored: Stored, shop: Web
) -> None:
    visit("/boots?size=42&utm_source=letter&utm_campaign=May#red")
    (hit,) = stored(1)
    url = f"{shop.origin}/boots?size=42&utm_source=letter&utm_campaign=May#red"
    query = "?size=42&utm_source=letter&utm_campaign=May"
    page = {"url": url, "path": "/boots", "hash": "#red", "title": "Boots", "referrer": ""}
    assert hit.name == "Viewed Page"
    assert hit.payload["event"] == {"name": "Viewed Page", "page": {**page, "queryString": query}}
    context = hit.payload["context"]
    assert context["page"] == {**page, "search": query}
    assert context["campaign"] == {"source": "letter", "name": "May"}
    assert (context["screenWidth"], context["screenHeight"]) == (1280, 900)
    assert context["locale"] == "en-US"
    assert "timezone" in context
    assert UUID(hit.hit_id).version == 4
    assert UUID(hit.anonymous_id).version == 4
    assert "Chrome" in hit.user_agent


def test_no_cookie_is_set_or_sent_and_nothing_is_asked_first(
    visit: Visit, stored: Stored, hits: Web
) -> None:
    page = visit()
    stored(1)
    (post,) = hits.posts
    assert post.path == "/collect"
    assert post.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert "Cookie" not in post.headers
    assert page.context.cookies() == []


def test_an_event_is_stored_with_its_properties(visit: Visit, stored: Stored) -> None:
    page = visit()
    track(page, "Added Product", {"product": {"id": "7"}, "quantity": 2, "name": "not this"})
    view, added = stored(2)
    assert added.payload["event"] == {
        "name": "Added Product",
        "product": {"id": "7"},
        "quantity": 2,
    }
    assert added.payload["context"]["page"]["path"] == "/boots"
    assert added.anonymous_id == view.anonymous_id
    assert view.sent_at <= added.sent_at <= added.received_at


def test_a_visitor_keeps_the_anonymous_id_until_reset(visit: Visit, stored: Stored) -> None:
    visit("/one")
    page = visit("/two")
    page.evaluate("() => { hitstream.reset(); hitstream.page() }")
    one, two, three = (hit.anonymous_id for hit in stored(3))
    assert one == two != three


def test_a_user_is_named_from_identify_on_until_forgotten(visit: Visit, stored: Stored) -> None:
    page = visit()
    page.evaluate("() => hitstream.identify('u1')")
    track(page, "Logged In")
    stored(2)
    page = visit("/account")
    stored(3)
    page.evaluate("() => hitstream.identify(null)")
    track(page, "Logged Out")
    assert [hit.user_id for hit in stored(4)] == ["", "u1", "u1", ""]


def test_calls_made_before_the_script_is_there_are_not_lost(visit: Visit, stored: Stored) -> None:
    visit(
        before="""<script>
            window.hitstream = window.hitstream || [];
            hitstream.push(["identify", "u1"]);
            hitstream.push(["track", "Added Product", {quantity: 1}]);
        </script>"""
    )
    found = stored(2)
    assert {hit.name: hit.user_id for hit in found} == {"Added Product": "u1", "Viewed Page": "u1"}


def test_a_single_page_application_is_seen_to_move(visit: Visit, stored: Stored, shop: Web) -> None:
    page = visit("/list?page=2")
    stored(1)
    move = """path => {
        history.pushState({}, "", path);
        setTimeout(() => document.title = path);
    }"""
    page.evaluate(move, "/cart")
    stored(2)
    page.evaluate("() => history.replaceState({}, '', '/cart?coupon=1')")
    page.evaluate("() => history.replaceState({}, '', '/paid')")
    stored(3)
    page.go_back()
    pages = [hit.payload["event"]["page"] for hit in stored(4)]
    assert [page["path"] for page in pages] == ["/list", "/cart", "/paid", "/list"]
    assert pages[1]["title"] == "/cart"
    assert pages[1]["referrer"] == f"{shop.origin}/list?page=2"
    assert pages[2]["referrer"] == f"{shop.origin}/cart"


def test_a_move_on_the_way_out_is_seen(visit: Visit, stored: Stored, hits: Web) -> None:
    page = visit()
    stored(1)
    page.evaluate("() => { history.pushState({}, '', '/cart'); location = 'about:blank' }")
    assert stored(2)[1].payload["event"]["page"]["path"] == "/cart"


def test_a_page_that_comes_back_from_the_cache_is_seen_again(visit: Visit, stored: Stored) -> None:
    page = visit()
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert names(stored(2)) == ["Viewed Page"] * 2


def test_a_prerendered_page_counts_once_it_is_shown(
    visit: Visit, stored: Stored, page: Page, hits: Web
) -> None:
    page.add_init_script("Object.defineProperty(document, 'prerendering', {value: true})")
    visit()
    track(page, "Early")
    assert storage(page) == {}
    assert hits.posts == []
    page.evaluate("() => document.dispatchEvent(new Event('prerenderingchange'))")
    assert sorted(names(stored(2))) == ["Early", "Viewed Page"]


def test_page_views_by_hand_are_all_there_is_where_the_site_says_so(
    visit: Visit, stored: Stored
) -> None:
    page = visit(attributes="data-manual")
    page.evaluate("() => history.pushState({}, '', '/cart')")
    page.evaluate("() => hitstream.page({type: 'cart', title: 'Your cart'})")
    settled(page)
    (hit,) = stored(1)
    assert hit.payload["event"]["page"]["type"] == "cart"
    assert hit.payload["event"]["page"]["title"] == "Your cart"


def test_a_script_that_is_embedded_twice_counts_once(
    visit: Visit, stored: Stored, hits: Web, token: Token
) -> None:
    tag = f'<script defer src="{hits.origin}/t.js" data-project="{token.project_id}"></script>'
    page = visit(before=tag)
    settled(page)
    assert names(stored(1)) == ["Viewed Page"]


def test_a_mistake_of_the_site_does_not_stop_its_own_script(visit: Visit, stored: Stored) -> None:
    page = visit()
    done = page.evaluate("""() => {
        const around = {};
        around.around = around;
        hitstream.track("Circular", around);
        hitstream.push(["unheard of"]);
        hitstream.push();
        return "done";
    }""")
    assert done == "done"
    track(page, "After")
    assert names(stored(2)) == ["Viewed Page", "After"]


def test_a_strict_content_security_policy_needs_our_origin_and_nothing_else(
    visit: Visit, stored: Stored, shop: Web, hits: Web
) -> None:
    shop.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {hits.origin}; connect-src {hits.origin}"
    )
    page = visit()
    track(page, "Added Product")
    page.goto("about:blank")
    assert names(stored(2)) == ["Viewed Page", "Added Product"]


@pytest.mark.parametrize("days", [-4, 2])
def test_a_wrong_clock_of_the_visitor_is_corrected(
    visit: Visit, stored: Stored, page: Page, days: int
) -> None:
    page.clock.install(time=datetime.now(UTC) + timedelta(days=days))
    visit()
    (hit,) = stored(1)
    assert hit.clock == "corrected"
    assert abs(hit.sent_at - hit.received_at - timedelta(days=days)) < timedelta(minutes=5)
    assert timedelta(0) <= hit.received_at - hit.occurred_at < timedelta(seconds=30)
    assert {"timestamp", "sentAt"} <= set(hit.payload)
