"""Channels and rules in a real browser: set up, tried out, and their secrets never shown."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.integrations import add_webhook
from tests.support.vendor import Vendor, open_vendor, reply
from tracking.models import AlertChannel, AlertRule, Token


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_vendor(reply(200, b"ok")) as vendor:
        yield vendor


@pytest.fixture
def admin(signed_in: Page, live_server: LiveServer) -> Page:
    """The list of channels."""
    signed_in.goto(f"{live_server.url}/admin/hitstream/alertchannel/")
    return signed_in


def wrong(page: Page) -> list[str]:
    """The stock admin's breadcrumbs are its own."""
    return [each for each in violations(page) if '/admin/">Home</a>' not in each]


def add(page: Page, kind: str) -> None:
    follow(page, ".object-tools >> text=Add")
    follow(page, f".hs-destinations >> text={kind}")
    page.fill("#id_name", "Operators")


def save(page: Page) -> None:
    follow(page, "input[name=_continue]")


def test_a_slack_channel_is_set_up_and_tried(admin: Page, vendor: Vendor) -> None:
    follow(admin, ".object-tools >> text=Add")
    assert wrong(admin) == []
    shoot(admin, "channel-kinds")
    follow(admin, ".hs-destinations >> text=Slack")
    admin.fill("#id_name", "Operators")
    admin.fill("#id_config-webhook_url", f"{vendor.url}/T0/B0/very-secret")
    save(admin)
    assert "very-secret" not in admin.content()
    assert wrong(admin) == []
    shoot(admin, "channel-form")
    follow(admin, "text=Send a test message")
    follow(admin, "input[type=submit][value='Send a test message']")
    expect(admin.get_by_text("It answered 200.")).to_be_visible()
    assert "a test" in vendor.received[0].json["text"]
    vendor.answer = reply(404, b"no_team")
    admin.go_back()
    follow(admin, "input[type=submit][value='Send a test message']")
    expect(admin.get_by_text("does not work")).to_be_visible()
    expect(admin.get_by_text("no_team").first).to_be_visible()
    assert "very-secret" not in admin.content()
    assert wrong(admin) == []
    shoot(admin, "channel-test")


def test_a_webhooks_secret_is_shown_once_and_kept(admin: Page, vendor: Vendor) -> None:
    add(admin, "Webhook")
    admin.fill("#id_config-url", vendor.url)
    save(admin)
    expect(admin.get_by_text("Copy it now")).to_be_visible()
    secret = AlertChannel.objects.get().settings()["signing_secret"]
    assert secret in admin.content()
    follow(admin, "text=Continue to Operators")
    assert secret not in admin.content()
    save(admin)
    assert AlertChannel.objects.get().settings()["signing_secret"] == secret


def test_a_wrong_address_is_refused(admin: Page) -> None:
    add(admin, "E-mail")
    admin.fill("#id_config-to", "ops@example.com\nnobody")
    save(admin)
    expect(admin.get_by_text("Enter a valid email address.")).to_be_visible()
    admin.fill("#id_config-to", "ops@example.com\nboss@example.com")
    save(admin)
    assert AlertChannel.objects.get().config == {"to": ["ops@example.com", "boss@example.com"]}
    assert admin.input_value("#id_config-to") == "ops@example.com\nboss@example.com"


def test_a_rule_is_about_what_its_kind_looks_at(admin: Page, live_server: LiveServer) -> None:
    token, _ = Token.objects.issue("shop")
    add_webhook(token, name="Orders")
    AlertRule.objects.all().delete()
    AlertChannel.objects.create(name="On call", kind="email", config={"to": ["a@example.com"]})
    admin.goto(f"{live_server.url}/admin/hitstream/alertrule/add/")
    assert wrong(admin) == []
    shoot(admin, "rule-kinds")
    follow(admin, "text=Disk is filling up")
    expect(admin.get_by_label("Free space below (%)")).to_have_value("10")
    expect(admin.locator("#id_token, #id_minutes")).to_have_count(0)
    admin.go_back()
    follow(admin, "text=Integration is paused")
    expect(admin.locator("#id_threshold")).to_have_count(0)
    admin.select_option("#id_integration", label="Orders (shop)")
    admin.get_by_label("Paused for").fill("90 s")
    save(admin)
    expect(admin.get_by_text("Enter whole minutes.")).to_be_visible()
    admin.get_by_label("Paused for").fill("2 h")
    admin.get_by_label("On call").check()
    save(admin)
    made = AlertRule.objects.get()
    assert str(made) == "Integration is paused: Orders (shop)"
    assert (made.minutes, made.calm) == (120, 10)
    assert [channel.name for channel in made.channels.all()] == ["On call"]
    assert wrong(admin) == []
    shoot(admin, "rule-form")
    admin.goto(f"{live_server.url}/admin/hitstream/alertrule/")
    assert wrong(admin) == []
    shoot(admin, "rules")
