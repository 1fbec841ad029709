"""The command palette: pages, names by any part, ids as a whole."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.people import operator, viewer
from tracking.models import Token

pytestmark = pytest.mark.django_db(transaction=True)


def found(client: Client, term: str) -> list[tuple[str, str]]:
    answer = client.get("/console/palette/", {"q": term}).json()["entries"]
    return [(each["kind"], each["text"]) for each in answer]


def test_names_are_found_by_a_part_and_ids_as_a_whole(send: Send, token: Token) -> None:
    add_webhook(token, name="Orders to ERP")
    send(hit(hitId="h-17"))
    client = Client()
    client.force_login(viewer())
    assert found(client, "erp") == [("Integration", "Orders to ERP (shop)")]
    assert found(client, "SHO") == [("Token", "shop")]
    assert found(client, "u1") == [("User", "u1"), ("Search", "All hits with u1")]
    assert found(client, "h-17") == [("Hit", "Registered h-17"), ("Search", "All hits with h-17")]
    assert found(client, "h-1") == found(client, "") == found(client, "\0") == []


def test_only_what_one_may_see_is_found(send: Send, token: Token) -> None:
    add_webhook(token, name="shop orders")
    send(hit())
    client = Client()
    person = User.objects.create_user("clerk", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_token"))
    client.force_login(person)
    assert found(client, "shop") == [("Token", "shop")]
    assert found(client, "u1") == []
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    client.force_login(viewer())
    assert found(client, "shop") == found(client, "u1") == []


def test_keys_open_it_and_go_there(token: Token, sign_in: SignIn) -> None:
    integration = add_webhook(token, name="Orders")
    page = sign_in(operator(), "/console/")
    page.keyboard.press("Control+k")
    expect(page.locator("#hs-palette")).to_be_visible()
    assert violations(page) == []
    page.keyboard.type("ord")
    expect(page.get_by_role("option", name="Orders")).to_be_visible()
    shoot(page, "console-palette")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/console/integrations/{integration.pk}/")
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    expect(page.locator(".hs-palette-none")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#hs-palette")).to_be_hidden()
