"""The admin works under its Content-Security-Policy: the browser's console would complain."""

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tracking.models import Hit, Token

LISTS = (
    *("token", "integration", "hit", "delivery", "deadletter", "attempt", "revision"),
    *("operation", "alertchannel", "alertrule"),
)


def test_no_page_of_the_admin_breaks_its_policy(
    signed_in: Page, live_server: LiveServer, send: Send, token: Token
) -> None:
    page = signed_in
    integration = add_webhook(token)
    send(hit())
    hit_id = Hit.objects.get().pk
    paths = [
        "",
        "hitstream/",
        "auth/user/",
        f"auth/user/{User.objects.get().pk}/change/",
        "password_change/",
        *(f"hitstream/{name}/" for name in LISTS),
        "hitstream/token/add/",
        f"hitstream/token/{token.pk}/change/",
        f"hitstream/token/{token.pk}/history/",
        f"hitstream/token/{token.pk}/rotate/",
        f"hitstream/hit/{hit_id}/change/",
        f"hitstream/integration/{integration.pk}/change/",
        f"hitstream/integration/{integration.pk}/pause/",
        "hitstream/integration/add/",
        "hitstream/alertchannel/add/",
        "hitstream/alertchannel/add/?kind=email",
        "hitstream/alertrule/add/",
    ]
    for path in paths:
        answer = page.goto(f"{live_server.url}/admin/{path}")
        assert answer is not None
        assert answer.status == 200, path
        assert "default-src 'none'" in answer.headers["content-security-policy"], path
    # The calendar of a time is made by a script.
    page.goto(f"{live_server.url}/admin/hitstream/token/{token.pk}/change/")
    page.locator(".datetimeshortcuts a").last.click()


def test_the_sign_in_has_a_policy_too(page: Page, live_server: LiveServer) -> None:
    answer = page.goto(f"{live_server.url}/admin/login/")
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    expect(page.locator("#id_username")).to_be_visible()
    assert Client().get("/admin/login/").status_code == 200
