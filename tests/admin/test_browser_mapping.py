"""An operator writes a mapping and sees what it makes of the last hits, before it is saved."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.admin.test_browser import work_elsewhere
from tests.support.browser import follow, shoot, unfold
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import open_vendor, reply
from tracking.models import Hit, Integration, Outcome, Token

EVENTS = [
    hit(hitId="a", event={"name": "Completed Transaction", "total": 185, "card": "4111"}, userId=1),
    hit(hitId="b", event={"name": "Completed Transaction", "total": 5, "card": "4222"}, userId=2),
    hit(hitId="c", event={"name": "Viewed Page"}, userId=3),
]


def open_form(page: Page, live_server: LiveServer, integration: Integration) -> None:
    page.goto(f"{live_server.url}/admin/hitstream/integration/{integration.pk}/change/")
    unfold(page)
    expect(page.locator(".hs-last-hits h3")).to_have_text(f"Preview on the last {len(EVENTS)} hits")


def test_a_mapping_is_seen_before_it_is_saved_and_then_delivers(
    signed_in: Page,
    live_server: LiveServer,
    send: Send,
    token: Token,
) -> None:
    page = signed_in
    with open_vendor(reply(200)) as vendor:
        integration = add_webhook(token, vendor.url)
        for each in EVENTS:
            send(each)
        open_form(page, live_server, integration)
        page.fill("#id_mapping-condition", "has(properties.total) && properties.total > 100")
        page.fill("#id_mapping-rename", "Completed Transaction = Purchase")
        page.fill("#id_mapping-set", "properties.value = properties.total")
        page.fill("#id_mapping-drop", "properties.card")
        expect(page.locator(".hs-last-hits .hs-good")).to_have_text(["would be sent"])
        expect(page.locator(".hs-last-hits .hs-off")).to_have_text(["would be skipped"] * 2)
        sent = page.locator(".hs-last-hits details", has_text="→ Purchase")
        sent.locator("summary").click()
        after = sent.locator("pre").nth(1)
        expect(after).to_contain_text('"value": 185')
        expect(after).not_to_contain_text("4111")
        shoot(page, "mapping")
        assert Integration.objects.get().mapping == {}
        follow(page, "input[name=_save]")
        work_elsewhere()
        (received,) = vendor.received
    assert received.json["data"]["name"] == "Purchase"
    assert received.json["data"]["payload"]["event"] == {
        "name": "Purchase",
        "total": 185,
        "value": 185,
        "user": {"userId": "1"},
    }
    reasons = Outcome.objects.filter(result="skipped").values_list("reason", flat=True)
    assert list(reasons) == ["The condition is not met."] * 2
    assert Hit.objects.get(hit_id="a").payload["event"]["card"] == "4111"


def test_an_expression_that_cannot_run_is_said_while_typing_and_refused_at_save(
    signed_in: Page,
    live_server: LiveServer,
    send: Send,
    token: Token,
) -> None:
    page = signed_in
    for each in EVENTS:
        send(each)
    integration = add_webhook(token)
    open_form(page, live_server, integration)
    page.fill("#id_mapping-condition", "nothing.total > 100")
    page.fill("#id_mapping-set", "properties.value = [0")
    expect(page.locator(".hs-last-hits .errornote")).to_have_count(2)
    shoot(page, "mapping-error")
    follow(page, "input[name=_save]")
    expect(page.locator(".errorlist")).to_have_count(2)
    assert Integration.objects.get().mapping == {}


@pytest.mark.parametrize("allowed", [True, False])
def test_only_who_may_see_hits_sees_them(
    transactional_db: None, send: Send, token: Token, allowed: bool
) -> None:
    send(EVENTS[0])
    client = Client(SERVER_NAME="localhost")
    user = User.objects.create_user("somebody", is_staff=True, is_superuser=allowed)
    client.force_login(user)
    answer = client.post("/admin/hitstream/integration/mapping/", {"token": str(token.pk)})
    assert answer.status_code == (200 if allowed else 403)
    assert ("4111" in answer.content.decode()) == allowed


def test_a_secret_that_is_typed_is_not_sent_to_the_preview(
    signed_in: Page,
    live_server: LiveServer,
    send: Send,
    token: Token,
) -> None:
    page = signed_in
    for each in EVENTS:
        send(each)
    open_form(page, live_server, add_webhook(token, "https://receiver.example/"))
    page.fill("[name=config-signing_secret]", "whsec_typed")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.fill("#id_mapping-drop", "ip")
    assert "mapping-drop" in (asked.value.post_data or "")
    assert "whsec_typed" not in (asked.value.post_data or "")
