"""The page of alerts: what is wrong, who may see it, and how it is silenced."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.integrations import add_webhook
from tests.support.people import operator, viewer
from tests.support.rounds import channel, rule
from tracking.models import Alert, AlertChannel, AlertRule, Integration, Notification, Token

pytestmark = pytest.mark.usefixtures("no_rules")


def raised(kind: str, message: str, token: Token | None = None, **fields: Any) -> Alert:
    found = AlertRule.objects.filter(kind=kind).first() or rule(kind, threshold=10, minutes=30)
    return Alert.objects.create(
        rule=found, subject=message[:100], message=message, token=token, **fields
    )


def page_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get("/console/alerts/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def busy() -> Token:
    """A deployment in which much is wrong, and more was."""
    shop, _ = Token.objects.issue("shop")
    orders = add_webhook(shop, name="Orders")
    now = timezone.now()
    raised(
        "paused",
        "Orders (shop): The configuration is wrong: The destination answered 401: invalid API key",
        shop,
        integration=orders,
        opened_at=now - timedelta(hours=3),
    )
    raised(
        "dead",
        "Orders (shop): 1,204 new dead letters in the last 30 minutes. Replay after fixing the "
        "cause.",
        shop,
        integration=orders,
        fine_since=now - timedelta(minutes=4),
    )
    raised("disk", "3.1 of 40.0 GB are free (8%). Make the disk larger.").silence(
        until=now + timedelta(hours=20), reason="A larger one comes tomorrow", by="olaf"
    )
    rule("source", minutes=20, token=shop)
    for number in range(20):
        ended = now - timedelta(days=1, hours=number)
        opened = ended - timedelta(minutes=12)
        raised("backlog", f"Late {number:02}", shop, opened_at=opened, resolved_at=ended)
    channel("email", "On call", to="ops@example.com").took()
    down = channel("slack", "Slack", webhook_url="https://hooks.slack.com/services/T/B/x")
    until = down.failed("The destination answered 404: no_team")
    Notification.objects.create(
        alert=Alert.objects.open()[0], channel=down, kind="opened", next_at=until
    )
    return shop


def test_all_that_is_wrong_is_on_the_page(busy: Token, sign_in: SignIn) -> None:
    page = sign_in(operator(), "/console/alerts/")
    expect(page.locator(".hs-alert")).to_have_count(3)
    expect(page.get_by_text("A larger one comes tomorrow")).to_be_visible()
    expect(page.get_by_text("no_team")).to_be_visible()
    expect(page.locator(".hs-alert", has_text="Fine since")).to_contain_text(
        "Before that: Orders (shop): 1,204 new dead letters"
    )
    refused = page.locator(".hs-alert", has_text="401").first
    expect(refused).to_contain_text("as of ")
    orders = Integration.objects.get(name="Orders")
    link = refused.get_by_role("link", name="Orders (shop)")
    assert link.get_attribute("href") == f"/console/integrations/{orders.pk}/"
    assert violations(page) == []
    shoot(page, "alerts-full")
    follow(page, "text=Older")
    expect(page.get_by_text("Late 00")).to_be_visible()
    assert violations(page) == []


def test_where_nothing_is_wrong_the_page_says_so(sign_in: SignIn) -> None:
    page = sign_in(operator(), "/console/alerts/")
    expect(page.get_by_text("No open alerts")).to_be_visible()
    expect(page.get_by_text("alerts appear only here")).to_be_visible()
    assert violations(page) == []
    shoot(page, "alerts-empty")


def test_an_operator_silences_an_alert_and_ends_the_silence(sign_in: SignIn) -> None:
    alert = raised("partitions", "Partitions lie 2 days ahead.")
    page = sign_in(operator(), "/console/alerts/")
    page.click("summary:has-text('Mute')")
    page.get_by_label("Reason").fill("We know")
    page.get_by_label("For").select_option("24")
    assert violations(page) == []
    shoot(page, "alerts-silence")
    follow(page, ".hs-silence button")
    expect(page.get_by_text("Muted by olaf")).to_be_visible()
    follow(page, "text=Unmute")
    expect(page.get_by_text("Muted by olaf")).to_have_count(0)
    alert.refresh_from_db()
    assert not alert.is_silent


def test_a_silence_needs_a_reason() -> None:
    alert = raised("partitions", "Partitions lie 2 days ahead.")
    client = Client()
    client.force_login(operator())
    answer = client.post(f"/console/alerts/{alert.pk}/silence/", {"hours": "1", "reason": " "})
    assert "This field is required" in answer.content.decode()
    alert.refresh_from_db()
    assert not alert.is_silent


def test_who_may_only_look_silences_nothing() -> None:
    alert = raised("partitions", "Partitions lie 2 days ahead.")
    client = Client()
    client.force_login(viewer())
    assert "Tell nobody" not in client.get("/console/alerts/").content.decode()
    answer = client.post(f"/console/alerts/{alert.pk}/silence/", {"hours": "1", "reason": "x"})
    assert answer.status_code == 403


def test_an_alert_is_seen_by_who_sees_its_token_and_the_systems_by_who_sees_all() -> None:
    shop, _ = Token.objects.issue("shop", audience=["Shop"])
    blog, _ = Token.objects.issue("blog")
    raised("paused", "Of the shop", shop)
    raised("paused", "Of the blog", blog)
    raised("backlog", "Over in the shop", shop, resolved_at=timezone.now())
    raised("disk", "Of the system")
    rule("source", token=shop)
    rule("dead", integration=add_webhook(shop, name="Secret line"))
    inside, outside = page_of(viewer("ines", groups=("Shop",))), page_of(viewer("otto"))
    everything = page_of(User.objects.create_superuser("root"))
    texts = ("Of the shop", "Of the blog", "Over in the shop", "Secret line", "Of the system")
    assert [text in inside for text in texts] == [True, True, True, True, False]
    assert [text in outside for text in texts] == [False, True, False, False, False]
    assert all(text in everything for text in texts)


def test_an_alert_that_is_not_seen_cannot_be_silenced() -> None:
    shop, _ = Token.objects.issue("shop", audience=["Shop"])
    alert = raised("paused", "Of the shop", shop)
    client = Client()
    client.force_login(operator("otto"))
    for path in ("silence", "end-silence"):
        answer = client.post(f"/console/alerts/{alert.pk}/{path}/", {"hours": "1", "reason": "x"})
        assert answer.status_code == 404


def test_the_page_costs_as_many_queries_however_much_was_wrong(
    busy: Token, django_assert_max_num_queries: Any
) -> None:
    assert AlertChannel.objects.count() == 2
    client = Client()
    client.force_login(operator())
    with django_assert_max_num_queries(22):
        client.get("/console/alerts/")


@pytest.mark.parametrize("before", ["9" * 5000, "9" * 25, "-1", "%00", "x"])
def test_nonsense_in_the_address_is_ignored(before: str) -> None:
    client = Client()
    client.force_login(viewer())
    assert client.get(f"/console/alerts/?before={before}").status_code == 200
