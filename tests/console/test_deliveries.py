"""The delivery log shows every delivery, by each filter, and repairs those that match."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import deliver, let_die, post, work
from tests.support.people import operator, viewer
from tests.support.vendor import open_vendor, reply
from tracking.models import DeadLetter, Hit, Integration, Operation, QueuedDelivery, Token
from tracking.models.access.scope import Scope
from tracking.models.explain import delivery_log, delivery_scan
from tracking.models.explain.delivery_log import LogQuery, log_count, log_page

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(client: Client, path: str = "/console/deliveries/", **filters: Any) -> str:
    answer = client.get(f"{path}?{urlencode(filters)}")
    assert answer.status_code == 200
    return answer.content.decode()


def rows_of(client: Client, path: str = "/console/deliveries/", **filters: Any) -> int:
    return page_of(client, path, **filters).count('<td class="hs-log-event">')


def wanted(name: str, value: Any) -> Any:
    return {name: value}


@pytest.fixture
def hooks(token: Token, send: Send) -> list[Integration]:
    """Three hits: delivered to one, dead for the second, retried by the third."""
    orders, crm = add_webhook(token, name="Orders"), add_webhook(token, name="CRM")
    ads = add_webhook(token, name="Ads", retry_base=3600)
    with (
        open_vendor(reply(200)) as good,
        open_vendor(reply(400, b"no such address")) as bad,
        open_vendor(reply(503, b"overloaded")) as down,
    ):
        for hook, vendor in ((orders, good), (crm, bad), (ads, down)):
            Integration.objects.filter(pk=hook.pk).update(config={"url": vendor.url})
        post(send, "Bought", "Bought", "Paid")
        deliver()
    return [orders, crm, ads]


def test_each_filter_finds_what_matches(hooks: list[Integration]) -> None:
    client = client_of(viewer())
    found = {
        (name, value): rows_of(client, **wanted(name, value))
        for name, value in (
            ("state", ""),
            ("state", "dead"),
            ("state", "retrying"),
            ("state", "delivered"),
            ("state", "skipped"),
            ("status", "503"),
            ("status", "4xx"),
            ("status", "200"),
            ("status", "none"),
            ("event", "Bought"),
            ("user", "u1"),
            ("user", "nobody"),
            ("answer", "OVERLOADED"),
            ("answer", "nothing like this"),
            ("attempts", 1),
            ("attempts", 2),
            ("integration", hooks[1].pk),
            ("since", "2001-01-01T00:00"),
            ("until", "2001-01-01T00:00"),
        )
    }
    assert list(found.values()) == [9, 3, 3, 3, 0, 3, 3, 3, 0, 6, 9, 0, 3, 0, 9, 0, 3, 9, 0]
    assert rows_of(client, event="Paid", state="dead", status="400", user="u1") == 1
    assert rows_of(client, event="Paid", state="dead", status="503") == 0
    of_one = f"/console/integrations/{hooks[2].pk}/deliveries/"
    assert rows_of(client, of_one) == 3
    assert "Enter a code like 503" in page_of(client, status="teapot")
    assert client.get("/console/deliveries/count/?state=dead").json() == {"text": "3 deliveries"}


def test_pages_are_cut_by_key(hooks: list[Integration], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_log, "SIZE", 4)
    query = LogQuery(scope=Scope(None))
    first = log_page(query)
    second = log_page(query, first.older)
    third = log_page(query, second.older)
    keys = [entry.key for page in (first, second, third) for entry in page.entries]
    assert len(keys) == 9
    assert keys == sorted({*keys}, reverse=True)
    assert (first.newer, third.older) == (None, None)
    back = log_page(query, third.newer, upwards=True)
    assert [entry.key for entry in back.entries] == [entry.key for entry in second.entries]
    monkeypatch.setattr(delivery_log, "COUNTED", 5)
    assert log_count(query).is_more


def test_a_search_that_runs_out_of_time_goes_on(
    hooks: list[Integration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "PAGE_SECONDS", 0.0)
    for name in ("WIDE", "WIDEST"):
        monkeypatch.setattr(delivery_scan, name, 3)
    query = LogQuery(scope=Scope(None), state="delivered")
    keys, start, rounds = [], None, 0
    while True:
        page = log_page(query, start)
        keys += [entry.key for entry in page.entries]
        if page.looked is None:
            break
        assert start is None or page.looked < start
        start, rounds = page.looked, rounds + 1
    assert rounds >= 1
    assert len(keys) == len({*keys}) == 3


def test_who_does_not_see_a_token_does_not_see_its_deliveries(
    hooks: list[Integration], token: Token
) -> None:
    hit = Hit.objects.latest("pk").pk
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    client = client_of(viewer())
    for filters in ({}, {"state": "dead"}, {"event": "Paid"}, {"user": "u1"}, {"status": "503"}):
        assert rows_of(client, **filters) == 0
    assert client.get("/console/deliveries/count/").json() == {"text": "0 deliveries"}
    assert client.get(f"/console/deliveries/{hit}/{hooks[0].pk}/").status_code == 404
    assert client.get(f"/console/integrations/{hooks[0].pk}/deliveries/").status_code == 404


def test_all_that_match_are_retried(hooks: list[Integration]) -> None:
    _, crm, ads = hooks
    client = client_of(operator())
    match = {"event": "Paid", "status": "400", "user": "u1", "answer": "ADDRESS", "attempts": 1}
    page = page_of(client, f"/console/integrations/{crm.pk}/deliveries/", state="dead", **match)
    assert "Replay all that match" in page
    address = f"/admin/hitstream/integration/{crm.pk}/replay/"
    assert f"{address}?event=Paid" in page
    client.post(address, match)
    work()
    assert DeadLetter.objects.count() == 2
    address = f"/admin/hitstream/integration/{ads.pk}/retry-now/"
    client.post(address, {"event": "Paid", "status": "5xx"})
    due = QueuedDelivery.objects.filter(integration=ads, due_at__lte=timezone.now())
    assert [queued.hit_id for queued in due] == [Hit.objects.get(name="Paid").pk]


def test_a_dead_letter_is_read_copied_and_replayed_at_the_side(
    sign_in: SignIn, send: Send, token: Token
) -> None:
    webhook = add_webhook(
        token, name="Orders", config={"headers": "Authorization: Bearer s3cret-9"}
    )
    let_die(send, webhook, "Bought", "Paid")
    page = sign_in(operator(), "/console/deliveries/?state=dead")
    expect(page.locator("#hs-log-count")).to_have_text("2 deliveries")
    assert violations(page) == []
    shoot(page, "console-deliveries")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.locator("#hs-panel")
    expect(panel.locator("h1")).to_contain_text("Paid")
    page.keyboard.press("j")
    expect(panel.locator("h1")).to_contain_text("Bought")
    expect(panel).to_contain_text("no such thing")
    assert violations(page) == []
    shoot(page, "console-delivery")
    command = panel.locator(".hs-curl code").text_content() or ""
    assert command.startswith("curl --request POST")
    assert "s3cret" not in command
    panel.locator("[data-copy]").click()
    expect(panel.locator("[data-copy]")).to_have_text("Copied")
    follow(page, panel.get_by_role("button", name="Replay"))
    expect(page.locator(".messagelist")).to_contain_text("queued again")
    assert page.url.endswith("/console/deliveries/?state=dead")
    expect(page.locator("#hs-log-count")).to_have_text("1 delivery")


def test_a_replay_of_all_that_match_is_followed_in_the_log(
    sign_in: SignIn, hooks: list[Integration]
) -> None:
    crm = hooks[1]
    page = sign_in(operator(), f"/console/integrations/{crm.pk}/deliveries/?state=dead")
    follow(page, page.get_by_role("link", name="Replay all that match"))
    follow(page, "input[type=submit]")
    expect(page.locator(".messagelist")).to_contain_text("Replay of 3 hits is requested.")
    operation = f"/admin/hitstream/operation/{Operation.objects.get().pk}/change/"
    link = page.get_by_role("link", name="See the operation")
    expect(link).to_have_attribute("href", operation)
    expect(page.locator("#hs-log tbody tr")).to_have_count(3)
    work()
    expect(page.locator("#hs-log")).to_have_count(0)
    expect(page.locator("#hs-log-count")).to_have_text("0 deliveries")
    expect(page.get_by_text("Replay all that match")).to_have_count(0)
    expect(page.locator("[data-refresh]")).to_have_count(0)
