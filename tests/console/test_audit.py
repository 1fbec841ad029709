"""Who did what: every change of a token or an integration, every replay, no secret."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, replay
from tests.support.people import operator, viewer
from tracking.models import Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.explain.audit_log import audit_entries
from tracking.models.operations.delete import delete_token

pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING = Scope(None)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def said(**filters: object) -> list[str]:
    found = audit_entries(EVERYTHING, limit=100, **filters)  # type: ignore[arg-type]
    return [line for entry in found for line in reversed(entry.lines)]


def test_everything_that_is_done_is_on_record(send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders", config={"secret": SECRET})
    webhook.rate_limit, webhook.event_names = 5, ["Paid", "Refunded"]
    webhook.save(by="anna")
    webhook.pause(reason="Moving", by="anna")
    webhook.resume(by="bert")
    webhook.drain(by="bert")
    before = token.prefix
    token.rotate(by="anna")
    token.rate_limit = 10
    token.save(by="anna")
    let_die(send, Integration.objects.get(), "a")
    webhook.mark_deleted(by="bert")
    token.revoke(by="anna")
    delete_token(token, by="anna", rate=None)
    found = said()
    for line in (
        "Issued the token.",
        "Added Orders (webhook).",
        "Orders: rate limit (requests/s): nothing → 5",
        "Orders: only these events: nothing → Paid, Refunded",
        "Paused Orders: Moving",
        "Resumed Orders.",
        "Drained Orders.",
        f"Rotated the API token: {before}… → {token.prefix}…",
        "rate limit (hits/s): nothing → 10",
        "Deleted Orders.",
        "Revoked the token.",
        "Deleted the token.",
    ):
        assert line in found
    assert "MfKQ9r8G" not in "".join(found)
    assert {entry.by for entry in audit_entries(EVERYTHING, limit=99, by="bert")} == {"bert"}


def test_other_credentials_are_told_but_not_which(token: Token) -> None:
    webhook = add_webhook(token, name="Orders")
    form = webhook.destination_class.Config({**webhook.config, "secret": SECRET})
    assert form.is_valid()
    webhook.configure(form)
    webhook.save(by="anna")
    assert said()[0] == "Orders: credentials changed."


def test_a_replay_is_on_record_with_what_it_meant(send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders")
    let_die(send, webhook, "a", "b")
    replay(webhook, code="permanent").stop("bert")
    (entry,) = audit_entries(EVERYTHING, limit=1)
    assert entry.by == "anna"
    assert entry.lines[0].startswith("Replay of Orders: ")
    assert entry.lines[1:] == ("Stopped, 0 of 2.", "Stopped by bert.")


def test_pages_hold_every_entry_once(token: Token) -> None:
    for limit in range(1, 120):
        token.rate_limit = limit
        token.save(by="anna")
    client = Client()
    client.force_login(viewer())
    url, seen = "/console/audit/", []
    while url:
        answer = client.get(url)
        seen += [entry.revision for entry in answer.context["entries"]]
        older = answer.context["older"]
        url = f"/console/audit/?before={older.isoformat().replace('+', '%2B')}" if older else ""
    assert seen == list(range(120, 0, -1))
    assert client.get("/console/audit/?before=nonsense&token=x").status_code == 200


def test_what_was_done_to_a_token_that_is_not_seen_is_not_told(token: Token) -> None:
    other, _ = Token.objects.issue("other", audience=["Shop"])
    add_webhook(other)
    scope = Scope.of(viewer())
    assert {entry.token for entry in audit_entries(scope, limit=9)} == {token}


def test_the_page(sign_in: SignIn, send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders")
    let_die(send, webhook, "a", "b")
    replay(webhook)
    webhook.pause(reason="Moving to another account", by="anna")
    token.rotate(grace=timedelta(days=1).total_seconds(), by="olaf")
    page = sign_in(operator(), "/console/audit/")
    page.get_by_text("Paused Orders: Moving").wait_for()
    assert violations(page) == []
    shoot(page, "console-audit")
    page.fill("input[name=by]", "anna")
    follow(page, "button:has-text('Filter')")
    page.get_by_text("Paused Orders").wait_for()
    assert page.get_by_text("Rotated").count() == 0


@pytest.mark.parametrize(
    "asked", ["by=%00", "by=\ufffd\u202e", "token=%00", "before=0001-01-01T00:00:00%2B14:00"]
)
def test_nonsense_in_the_address_finds_nothing_or_is_ignored(token: Token, asked: str) -> None:
    client = Client()
    client.force_login(viewer())
    assert client.get(f"/console/audit/?{asked}").status_code == 200
