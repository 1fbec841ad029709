"""The page of a user: ids seen together, traits, and what went where."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import deliver
from tests.support.people import operator, viewer
from tests.support.vendor import open_vendor, reply
from tracking.models import Hit, Token
from tracking.models.access.scope import Scope
from tracking.models.explain.user_story import SHOWN, user_story

pytestmark = pytest.mark.django_db(transaction=True)
ALL = Scope(None)


def told(name: str, at: str, **more: Any) -> dict[str, Any]:
    user = {key: more.pop(key) for key in ("userId", "anonymousId") if key in more}
    return {"event": {"name": name, "user": user}, "sentAt": at, **more}


def names(found: Any) -> list[str]:
    return [event.hit.name for event in found.events]


def test_events_of_all_ids_are_in_the_order_in_which_they_occurred(send: Send) -> None:
    send(told("Paid", "2026-01-02T12:00:00Z", userId="u1"))
    send(told("Looked", "2026-01-02T10:00:00Z", anonymousId="a1"))
    send(told("Signed up", "2026-01-02T11:00:00Z", userId="u1", anonymousId="a1"))
    send(told("Other", "2026-01-02T13:00:00Z", userId="u2"))
    for id in ("u1", "a1"):
        story = user_story(id, ALL)
        assert story is not None
        assert names(story) == ["Paid", "Signed up", "Looked"]
        assert (story.user_ids, story.anonymous_ids) == (("u1",), ("a1",))
        assert story.is_whole
        assert (story.first.name, story.last.name) == ("Looked", "Paid")
    assert user_story("nobody", ALL) is None


def test_a_shared_device_does_not_join_its_users(send: Send) -> None:
    for user in ("u1", "u2"):
        send(told(f"By {user}", "2026-01-02T10:00:00Z", userId=user, anonymousId="kiosk"))
        send(told(f"Home of {user}", "2026-01-02T10:00:00Z", userId=user))
    story = user_story("kiosk", ALL)
    assert story is not None
    assert sorted(names(story)) == ["By u1", "By u2"]


def test_the_latest_of_each_trait_counts(token: Token) -> None:
    for number, traits in enumerate(({"plan": "free", "city": "Bonn"}, {"plan": "pro"})):
        Client().post(
            "/v1/identify",
            {
                "userId": "u1",
                "traits": traits,
                "writeKey": str(token.project_id),
                "timestamp": f"2026-01-0{number + 1}T10:00:00Z",
                "messageId": f"m{number}",
            },
            content_type="application/json",
        )
    assert Hit.objects.count() == 2
    story = user_story("u1", ALL)
    assert story is not None
    assert story.traits == {"city": "Bonn", "plan": "pro"}


def test_what_is_left_out_is_said(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.models.explain.user_story.SHOWN", 2)
    for number in range(3):
        send(told(f"E{number}", "2026-01-02T10:00:00Z", userId="u1"))
    story = user_story("u1", ALL)
    assert story is not None
    assert len(story.events) == 2
    assert not story.is_whole
    assert SHOWN > 2


def test_nobody_sees_the_users_of_a_token_that_is_not_theirs(send: Send, token: Token) -> None:
    send(told("Secret", "2026-01-02T10:00:00Z", userId="u1"))
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    client = Client()
    client.force_login(viewer())
    answer = client.get("/console/users/?id=u1")
    assert answer.status_code == 404
    assert "Secret" not in answer.content.decode()
    assert client.get("/console/users/").status_code == 404
    assert client.get("/console/users/?id=%00").status_code == 404


def test_from_a_hit_to_its_user(send: Send, token: Token, sign_in: SignIn) -> None:
    with open_vendor(reply(200)) as vendor:
        add_webhook(token, vendor.url, name="Orders")
        send(told("Paid", "0001-01-01T00:00:00Z", userId="u/1 & <b>"))
        deliver()
    page = sign_in(operator(), "/console/search/?q=u%2F1%20%26%20%3Cb%3E")
    follow(page, "text=Open the user")
    expect(page.locator("h1")).to_have_text("u/1 & <b>")
    expect(page.locator("main")).to_contain_text("Delivered")
    assert violations(page) == []
    shoot(page, "console-user")
    page.locator(".hs-when a").click()
    follow(page, page.get_by_role("link", name="Open the hit"))
    follow(page, page.get_by_role("link", name="u/1 & <b>").first)
    expect(page.locator("h1")).to_have_text("u/1 & <b>")
