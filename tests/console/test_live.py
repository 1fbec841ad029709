"""Hits as they arrive, for everybody who watches, at the price of one."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Page, expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import deliver, let_die, post
from tests.support.people import operator, viewer
from tracking.console.poll_token import HEADER, LIFE, PollToken
from tracking.console.snapshot import SnapshotCache
from tracking.models import Token
from tracking.models.access.scope import Scope
from tracking.models.explain.recent import RECENT, recent_hits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_looked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    cache.clear()
    monkeypatch.setattr("tracking.console.live.snapshot_cache", SnapshotCache())
    yield
    cache.clear()


EVERYTHING = Scope(None)


def poll(scope: Scope = EVERYTHING, **filters: Any) -> Any:
    client = Client()
    return client.get(
        "/console/live/hits/", filters, headers={HEADER: PollToken(scope).sign()}
    ).json()


def events(answer: Any) -> list[str]:
    return [hit["event"] for hit in answer["hits"]]


def test_the_last_hits_come_with_what_became_of_them(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "died")
    post(send, "waits")
    integration.enabled = False
    integration.save()
    post(send, "goes nowhere")
    found = poll()
    assert events(found) == ["goes nowhere", "waits", "died"]
    assert [hit["states"] for hit in found["hits"]] == [{}, {"queued": 1}, {"dead": 1}]
    assert [hit["routes"] for hit in found["hits"]] == [
        [],
        [["Webhook", "queued"]],
        [["Webhook", "dead"]],
    ]
    assert not any(hit["test"] for hit in found["hits"])
    assert (found["matching"], found["looked"]) == (3, 3)


def test_filters_leave_what_is_like_them(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "Ordered")
    post(send, "Registered")
    send({"event": {"name": "Ordered", "user": {"anonymousId": "a7"}}})
    assert events(poll(event="ord")) == ["Ordered", "Ordered"]
    assert events(poll(user="a7")) == ["Ordered"]
    assert events(poll(user="u1", event="r")) == ["Registered"]
    assert events(poll(outcome="dead")) == ["Ordered"]
    assert events(poll(outcome="nowhere")) == []
    assert events(poll(token=token.pk)) == ["Ordered", "Registered", "Ordered"]
    assert events(poll(token="x")) == []


def test_only_hits_of_tokens_in_the_ticket_are_told(send: Send, token: Token) -> None:
    post(send, "a")
    assert poll(Scope(frozenset()))["looked"] == 0
    assert poll(Scope(frozenset({token.pk})))["looked"] == 1


def test_a_ticket_for_thousands_of_tokens_is_still_a_header(send: Send, token: Token) -> None:
    send(hit())
    many = [token.pk, *(token.pk + number for number in range(2, 5000) if number % 10)]
    assert len(PollToken(Scope(frozenset(many))).sign()) < 4000
    assert events(poll(Scope(frozenset(many)))) == ["Registered"]
    assert events(poll(Scope(frozenset(each + 1 for each in many)))) == []


def test_without_a_good_ticket_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    client, url = Client(), "/console/live/hits/"
    assert client.get(url).status_code == 401
    good = PollToken(Scope(None)).sign()
    assert client.get(url, headers={HEADER: f"{good}x"}).status_code == 401
    assert client.get(url, headers={HEADER: good}).status_code == 200
    assert client.post(url, headers={HEADER: good}).status_code == 405
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LIFE + 2)
    assert client.get(url, headers={HEADER: good}).status_code == 401


def test_no_more_is_looked_at_than_the_last_hits(send: Send) -> None:
    post(send, *(f"e{n}" for n in range(30)))
    assert [each["event"] for each in recent_hits(10)] == [f"e{n}" for n in range(29, 19, -1)]
    assert RECENT == 500


def watch(viewers: int, seconds: float) -> tuple[int, list[str]]:
    """Polls that were answered, and every statement that they sent to the database."""
    sent: list[str] = []
    ticket = PollToken(EVERYTHING).sign()
    ends = time.monotonic() + seconds

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        sent.append(sql)
        return execute(sql, *rest)

    def view() -> int:
        client, polls = Client(), 0
        with connection.execute_wrapper(note):
            while time.monotonic() < ends:
                answer = client.get("/console/live/hits/", headers={HEADER: ticket})
                assert answer.status_code == 200
                polls += 1
                time.sleep(0.2)
        connections.close_all()
        return polls

    with ThreadPoolExecutor(viewers) as pool:
        polls = sum(future.result() for future in [pool.submit(view) for _ in range(viewers)])
    return polls, sent


def test_fifty_viewers_cost_the_database_what_one_costs(send: Send) -> None:
    post(send, "a", "b", "c")
    polls_of_one, sent_for_one = watch(1, 5)
    polls_of_many, sent_for_many = watch(50, 5)
    assert polls_of_many > 5 * polls_of_one
    # A look each second, of two statements; no session and no user is asked for.
    assert all("hitstream_hit" in sql or "hitstream_delivery" in sql for sql in sent_for_many)
    assert 4 <= len(sent_for_one) <= 12
    assert 4 <= len(sent_for_many) <= 12


def test_processes_share_what_one_of_them_has_found(send: Send) -> None:
    post(send, "a")
    one, other = SnapshotCache(), SnapshotCache()
    assert one.look() is not other.look()
    assert one.look().taken_at == other.look().taken_at


def test_without_a_cache_each_process_looks_for_itself(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(send, "a")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("No cache here.")

    for verb in ("get", "set", "add"):
        monkeypatch.setattr(cache, verb, refuse)
    assert [each["event"] for each in SnapshotCache().look().hits] == ["a"]


def test_hits_arrive_on_the_page_as_they_come(sign_in: SignIn, send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "Old news")
    page = sign_in(viewer(), "/console/live/")
    rows = page.locator("#hs-live tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("dead letter")
    post(send, "Ordered")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Ordered")
    expect(rows.first).to_contain_text("queued")
    deliver()
    assert violations(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.locator("#hs-panel")
    expect(panel.locator("h1")).to_have_text("Ordered")
    expect(panel.get_by_role("treeitem", name="userId")).to_contain_text("u1")
    page.keyboard.press("j")
    expect(panel.locator("h1")).to_have_text("Old news")
    expect(panel.locator(".hs-peek-routes")).to_contain_text("Dead letter")
    post(send, "Beside the panel")
    expect(rows).to_have_count(3)
    expect(panel.locator("h1")).to_have_text("Old news")
    assert violations(page) == []
    shoot(page, "console-live-panel")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    post(send, "Beside the focus")
    expect(rows).to_have_count(4)
    expect(page.locator("#hs-live a:focus")).to_have_text("Old news")
    page.keyboard.press("p")
    expect(page.locator("#hs-live-status")).to_have_text("Paused.")
    post(send, "While paused")
    time.sleep(1.5)
    expect(rows).to_have_count(4)
    page.keyboard.press("p")
    expect(rows.first).to_contain_text("While paused")
    page.fill("input[name=event]", "ord")
    expect(rows).to_have_count(1)
    page.fill("input[name=event]", "nothing")
    expect(page.locator("#hs-live-status")).to_contain_text("No match in the last 5 hits")
    page.select_option("select[name=outcome]", "dead")
    page.go_back()
    expect(page.locator("select[name=outcome]")).to_have_value("")
    page.go_back()
    expect(page.locator("input[name=event]")).to_have_value("")
    post(send, *(f"Event {n}" for n in range(12)))
    expect(rows).to_have_count(17)
    shoot(page, "console-live")


def test_what_a_sender_wrote_is_text_on_the_page(sign_in: SignIn, send: Send) -> None:
    name = "<img src=x onerror=alert(1)>"
    send({"event": {"name": name, "user": {"userId": name}}})
    page = sign_in(viewer(), "/console/live/")
    expect(page.locator("#hs-live a")).to_have_text(name)
    assert page.locator("#hs-live img").count() == 0


def test_the_guide_says_how_to_send_the_first_hit_and_that_it_came(
    sign_in: SignIn, send: Send
) -> None:
    page = sign_in(operator(), "/console/live/")
    expect(page.locator("h1")).to_have_text("The first hit")
    for text in ("curl -i -u hs_", "requests.post", "hitstream.push"):
        expect(page.locator("pre", has_text=text)).to_have_count(1)
    assert violations(page) == []
    shoot(page, "console-first")
    send(hit())
    expect(page.locator("#hs-first")).to_contain_text("The first hit has arrived: Registered")
    shoot(page, "console-first-came")
    follow(page, "text=Watch the next hits")
    expect(page.locator("#hs-live tbody tr")).to_have_count(1)


def test_without_a_token_the_guide_says_to_issue_one(sign_in: SignIn) -> None:
    page: Page = sign_in(operator(), "/console/live/")
    page.get_by_role("link", name="Issue one").wait_for()
    assert violations(page) == []
