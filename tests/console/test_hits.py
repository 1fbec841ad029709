"""A hit's page tells all that became of it, and offers what can be done about it."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import backfill, deliver, let_die, post, work
from tests.support.people import operator, viewer
from tests.support.vendor import open_vendor, reply
from tracking.ingest.write.duplicates import duplicates
from tracking.models import DeadLetter, Delivery, Hit, Integration, QueuedDelivery, Token
from tracking.models.access.scope import Scope
from tracking.models.explain.audit_log import audit_entries
from tracking.models.explain.hit_history import hit_history

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(stored: Hit, integration: Integration, verb: str) -> str:
    return f"/console/hits/{stored.pk}/{integration.pk}/{verb}/"


def step(page: Page, title: str) -> Any:
    """The part of the story with this heading."""
    return page.locator(".hs-step", has=page.locator("h2", has_text=title)).first


def fail(send: Send, integration: Integration, *names: str) -> None:
    """Hits that are to be tried again."""
    with open_vendor(reply(503, b"try again later")) as vendor:
        integration.config = {**integration.config, "url": vendor.url}
        integration.save()
        post(send, *names)
        deliver()


def test_the_story_of_a_failing_webhook(sign_in: SignIn, send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders", retry_base=3600)
    add_webhook(token, name="Invoices", event_names=["Paid", "Refunded"])
    add_webhook(token, name="Old", enabled=False)
    with open_vendor(reply(200, b'{"ok": true}')) as good, open_vendor(reply(503, b"down")) as bad:
        add_webhook(token, good.url, name="Archive", keep_bodies=True)
        webhook.config = {**webhook.config, "url": bad.url}
        webhook.save()
        said = hit(
            hitId="order-1",
            event={"name": "Bought", "total": 12.5, "user": {"userId": "u1"}},
            context={"library": {"name": "our-sdk", "version": "2.1"}},
            integrations={"Nowhere": False},
            sentAt="2026-01-02T03:04:05Z",
        )
        for _ in range(3):
            send(said, user_agent="shop/1.0")
        deliver()
    duplicates.write()
    page = sign_in(operator(), "/console/search/?q=order-1")
    expect(page.locator("h1")).to_have_text("Bought")
    expect(page.locator(".hs-ends")).to_contain_text("Archive Delivered")
    expect(page.locator(".hs-ends")).to_contain_text("Orders Retrying")
    expect(step(page, "Received")).to_contain_text("our-sdk 2.1")
    expect(step(page, "Received")).to_contain_text("shop/1.0")
    expect(step(page, "Received")).to_contain_text(token.prefix)
    expect(step(page, "Received")).to_contain_text("the sender's sentAt")
    expect(step(page, "Stored")).to_contain_text("2, the last at")
    matched = step(page, "Routing")
    expect(matched).to_contain_text("Not sent: only receives Paid, Refunded")
    expect(matched).to_contain_text("Not sent: disabled at that time")
    failed = step(page, "Orders: failed, will retry")
    expect(failed).to_contain_text("503")
    failed.locator("summary").click()
    expect(failed.locator("section").first).to_contain_text("order-1")
    expect(failed.locator("section").nth(1)).to_contain_text("down")
    expect(step(page, "Orders: retry scheduled")).to_contain_text("Next attempt:")
    payload = page.locator(".hs-story > .hs-step").last
    expect(payload.get_by_role("treeitem", name="total: 12.5")).to_be_visible()
    assert violations(page) == []
    shoot(page, "console-hit")
    payload.get_by_role("treeitem", name="total: 12.5").focus()
    page.keyboard.press("Shift+C")
    expect(page.locator(".hs-announced")).to_have_text("Copied")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(payload.get_by_role("treeitem", name="total: 12.5")).to_be_hidden()
    payload.get_by_role("button", name="Raw").click()
    expect(payload.locator("pre")).to_contain_text('"total": 12.5')
    page.locator(".hs-announced").evaluate("place => place.replaceChildren()")
    payload.get_by_role("button", name="Copy", exact=True).click()
    expect(payload.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.locator(".hs-announced")).to_have_text("Copied")
    with open_vendor(reply(200)) as vendor:
        Integration.objects.filter(pk=webhook.pk).update(config={"url": vendor.url})
        follow(page, "button:has-text('Try now')")
        expect(page.locator(".messagelist")).to_contain_text("The retry is due now")
        deliver()
        assert len(vendor.received) == 1
    page.reload()
    expect(page.locator(".hs-ends")).to_contain_text("Orders Delivered")


def test_a_dead_letter_is_replayed_from_the_page(sign_in: SignIn, send: Send, token: Token) -> None:
    webhook = add_webhook(token, name="Orders")
    let_die(send, webhook, "Bought", "Bought")
    stored = Hit.objects.latest("pk")
    page = sign_in(operator(), f"/console/hits/{stored.pk}/")
    expect(step(page, "Orders: Dead letter")).to_contain_text("400")
    shoot(page, "console-hit-dead")
    assert violations(page) == []
    follow(page, "button:has-text('Replay')")
    expect(page.locator(".messagelist")).to_contain_text("queued again")
    expect(page.locator(".hs-ends")).to_contain_text("Orders Queued")
    assert [letter.hit_id for letter in DeadLetter.objects.all()] != [stored.pk]
    with open_vendor(reply(200)) as vendor:
        Integration.objects.filter(pk=webhook.pk).update(config={"url": vendor.url})
        deliver()
    page.reload()
    expect(step(page, "Orders: Delivered")).to_contain_text("After a replay")
    (entry,) = audit_entries(Scope(None), limit=1, by="olaf")
    assert entry.lines == (
        "Replay of Orders.",
        "Finished, 1 of 1.",
        f"Only the hit {stored.hit_id}.",
    )


def test_what_cannot_be_replayed_any_more_says_so(send: Send, token: Token) -> None:
    webhook = add_webhook(token)
    let_die(send, webhook, "Bought")
    stored, client = Hit.objects.get(), client_of(operator())
    for verb, told in (("replay", b"is queued again"), ("replay", b"left to replay")):
        answer = client.post(path_of(stored, webhook, verb), follow=True)
        assert told in answer.content
    assert (
        b"no longer waits" in client.post(path_of(stored, webhook, "try-now"), follow=True).content
    )


def test_what_a_worker_is_at_is_not_hastened(send: Send, token: Token) -> None:
    webhook = add_webhook(token, retry_base=3600)
    fail(send, webhook, "Bought")
    queued = QueuedDelivery.objects.filter(hit_id=Hit.objects.get().pk)
    queued.update(claims=1)
    assert queued.hasten() == 0
    assert not hit_history(Hit.objects.get()).routes[0].can_be_retried_now
    queued.update(claims=0)
    assert hit_history(Hit.objects.get()).routes[0].can_be_retried_now
    assert queued.hasten() == 1


def test_a_paused_integration_is_told_and_not_tried(send: Send, token: Token) -> None:
    webhook = add_webhook(token, retry_base=3600)
    webhook.pause(reason="Moving house", by="anna")
    post(send, "Bought")
    webhook.resume(by="anna")
    stored, client = Hit.objects.get(), client_of(operator())
    page = client.get(f"/console/hits/{stored.pk}/").content.decode()
    assert "Paused at that time by anna: Moving house" in page
    assert "The integration is paused" not in page
    webhook.pause(reason="Again", by="anna")
    page = client.get(f"/console/hits/{stored.pk}/").content.decode()
    assert "The integration is paused: Again" in page
    assert "Retry now" not in page


def test_what_a_backfill_owed_is_told_from_what_was_matched(
    send: Send, token: Token, settings: Any
) -> None:
    settings.HITSTREAM = {**settings.HITSTREAM, "COMMIT_LAG": 0.0}
    disabled = add_webhook(token, name="Disabled", enabled=False)
    post(send, "Bought")
    added = add_webhook(token, name="Added")
    disabled.enabled = True
    disabled.save()
    story = hit_history(Hit.objects.get())
    assert [route.integration for route in story.routes] == [disabled]
    for integration in (disabled, added):
        backfill(integration)
    work()
    story = hit_history(Hit.objects.get())
    assert [(route.integration, route.is_late) for route in story.routes] == [
        (disabled, True),
        (added, True),
    ]
    assert Delivery.objects.count() == 2
    page = client_of(viewer()).get(f"/console/hits/{story.hit.pk}/").content.decode()
    assert page.count("Queued later by a backfill.") == 2
    assert page.count("Added after the hit arrived.") == 1


def test_a_skipped_hit_says_by_which_condition(send: Send, token: Token) -> None:
    add_webhook(token, mapping={"condition": "name == 'Paid'"})
    post(send, "Bought")
    deliver()
    (turn,) = hit_history(Hit.objects.get()).timeline
    assert turn.outcome.result == "skipped"
    page = client_of(viewer()).get(f"/console/hits/{Hit.objects.get().pk}/").content.decode()
    assert turn.outcome.reason in page.replace("&#x27;", "'")
    assert turn.outcome.reason


def test_a_viewer_is_offered_no_verb(send: Send, token: Token) -> None:
    webhook = add_webhook(token)
    let_die(send, webhook, "Bought")
    stored, client = Hit.objects.get(), client_of(viewer())
    assert b"<button" in client.get(f"/console/hits/{stored.pk}/").content
    assert b"replay/" not in client.get(f"/console/hits/{stored.pk}/").content
    for verb in ("replay", "try-now"):
        assert client.post(path_of(stored, webhook, verb)).status_code == 403
    assert DeadLetter.objects.exists()


def test_a_hit_of_a_token_that_is_not_seen_is_not_there(send: Send, token: Token) -> None:
    webhook = add_webhook(token)
    let_die(send, webhook, "Bought")
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    stored, client = Hit.objects.get(), client_of(operator())
    assert client.get(f"/console/hits/{stored.pk}/").status_code == 404
    for verb in ("replay", "try-now"):
        assert client.post(path_of(stored, webhook, verb)).status_code == 404
    assert DeadLetter.objects.exists()


def test_the_verbs_want_a_csrf_token(send: Send, token: Token) -> None:
    webhook = add_webhook(token)
    let_die(send, webhook, "Bought")
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator())
    assert client.post(path_of(Hit.objects.get(), webhook, "replay")).status_code == 403


def test_what_becomes_of_a_hit_is_seen_without_a_reload(
    sign_in: SignIn, send: Send, token: Token
) -> None:
    webhook = add_webhook(token, retry_base=3600)
    fail(send, webhook, "Bought")
    page = sign_in(operator(), f"/console/hits/{Hit.objects.get().pk}/")
    attempt = page.locator("details.hs-attempt > summary")
    attempt.click()
    expect(step(page, "retry scheduled")).to_be_visible()
    with open_vendor(reply(200)) as vendor:
        Integration.objects.filter(pk=webhook.pk).update(config={"url": vendor.url})
        QueuedDelivery.objects.all().hasten()
        deliver()
    expect(page.locator(".hs-ends")).to_contain_text("Delivered")
    expect(page.locator("details.hs-attempt")).to_have_count(2)
    expect(step(page, "retry scheduled")).to_have_count(0)
    expect(page.locator("details.hs-attempt").first).to_have_attribute("open", "")
    expect(attempt.first).to_be_focused()
    expect(page.locator("[data-refresh]")).to_have_count(0)
    expect(page.locator(".hs-story > li").last).to_contain_text("Payload")
