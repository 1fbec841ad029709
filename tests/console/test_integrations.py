"""An integration's page: what is the matter with it, and what can be done."""

import re

import pytest
from django.test import Client
from playwright.sync_api import expect
from uuid_utils.compat import uuid7

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.operations import deliver, let_die, post, replay
from tests.support.people import operator, person, viewer
from tests.support.vendor import open_vendor, reply
from tracking.models import Attempt, Hit, Integration, QueuedDelivery, Token
from tracking.models.ledger.failure_groups import CAUSES, failure_groups, reasons

pytestmark = pytest.mark.django_db(transaction=True)


def test_failures_are_grouped_by_what_was_the_matter(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a", "b", "c")
    let_die(send, integration, "d", status=422)
    first, second = failure_groups(integration)
    assert (first.status, first.requests, first.hits) == (422, 1, 1)
    assert (second.status, second.requests, second.hits) == (400, 3, 3)
    assert "no such thing" in second.sample.response_body
    assert reasons(integration)["dead"] == [("permanent", 4)]


def test_of_many_causes_the_latest_are_told(send: Send, token: Token) -> None:
    """A sample has whole bodies: a thousand of them would be a page of many megabytes."""
    integration = add_webhook(token)
    let_die(send, integration, "a")
    last = Attempt.objects.get()
    for letter in "bcdefghijklmnopqrstuvwxyz":
        last.pk, last.message = uuid7(), f"No {letter} here"
        last.save(force_insert=True)
    assert len(failure_groups(integration)) == CAUSES


def test_requests_are_shown_to_who_may_see_attempts(send: Send, token: Token) -> None:
    """Their bodies are full of hits."""
    integration = add_webhook(token)
    let_die(send, integration, "a")
    for somebody, is_told in ((person("ina", "view_integration"), False), (viewer(), True)):
        client = Client()
        client.force_login(somebody)
        text = client.get(f"/console/integrations/{integration.pk}/").content.decode()
        assert ("no such thing" in text) is is_told


def test_a_test_event_goes_to_this_integration_alone(send: Send, token: Token) -> None:
    integration = add_webhook(token, name="Webhook", event_names=["Completed Transaction"])
    add_webhook(token, name="Other")
    client = Client()
    client.force_login(operator())
    answer = client.post(f"/console/integrations/{integration.pk}/test-event/")
    stored = Hit.objects.get()
    assert answer["Location"] == f"/console/search/?q={stored.hit_id}"
    assert stored.name == "Hitstream Test"
    assert list(QueuedDelivery.objects.values_list("integration", flat=True)) == [integration.pk]
    assert discrepancies() == []
    page = client.get(f"/console/hits/{stored.pk}/").content.decode()
    assert "Queued by <em>Send a test event</em>, whatever" in page
    assert page.count("Not sent") == 1, "the other one alone"
    # It came from no address: no policy was applied to one.
    assert "per token policy" not in page
    with open_vendor(reply()) as vendor:
        Integration.objects.filter(pk=integration.pk).update(config={"url": vendor.url})
        deliver()
    assert len(vendor.received) == 1


def test_no_test_event_is_sent_with_a_revoked_token(token: Token) -> None:
    integration = add_webhook(token)
    token.revoke()
    client = Client()
    client.force_login(operator())
    answer = client.post(f"/console/integrations/{integration.pk}/test-event/", follow=True)
    assert b"revoked, expired or disabled" in answer.content
    assert not Hit.objects.exists()


def test_a_viewer_is_offered_nothing_that_changes_anything(sign_in: SignIn, token: Token) -> None:
    integration = add_webhook(token)
    page = sign_in(viewer(), f"/console/integrations/{integration.pk}/")
    expect(page.locator(".hs-tools")).not_to_contain_text("Pause")
    expect(page.locator(".hs-tools button")).to_have_count(0)
    client = Client()
    client.force_login(viewer("other"))
    url = f"/console/integrations/{integration.pk}/test-event/"
    assert client.post(url).status_code == 403
    assert not Hit.objects.exists()


@pytest.mark.parametrize("path", ["", "test-event/"])
def test_an_integration_of_a_token_that_is_not_seen_is_not_there(token: Token, path: str) -> None:
    integration = add_webhook(token)
    Token.objects.filter(pk=token.pk).update(audience=["Shop"])
    client = Client()
    client.force_login(operator())
    url = f"/console/integrations/{integration.pk}/{path}"
    assert (client.post(url) if path else client.get(url)).status_code == 404


def test_a_broken_webhook_is_explained_paused_and_resumed(
    sign_in: SignIn, send: Send, token: Token
) -> None:
    integration = add_webhook(token, name="Orders")
    with open_vendor(reply(401, b'{"error": "bad key"}')) as vendor:
        Integration.objects.filter(pk=integration.pk).update(config={"url": vendor.url, "batch": 1})
        post(send, "Ordered", "Ordered")
        deliver()
    page = sign_in(operator(), f"/console/integrations/{integration.pk}/")
    expect(page.locator(".hs-paused").first).to_contain_text("401")
    page.locator("summary", has_text="HTTP 401").click()
    expect(page.locator("details[open] pre").last).to_contain_text("bad key")
    assert violations(page) == []
    shoot(page, "console-integration-broken")
    follow(page, ".hs-tools >> text=Pause")
    page.fill("#id_reason", "Waiting for a new key")
    follow(page, "input[type=submit]")
    expect(page).to_have_url(
        f"{page.url.split('/console')[0]}/console/integrations/{integration.pk}/"
    )
    expect(page.locator("p.hs-paused")).to_contain_text("by olaf: Waiting for a new key")
    follow(page, ".hs-tools >> text=Resume")
    follow(page, "input[type=submit]")
    expect(page.locator("p.hs-paused")).to_have_count(0)


def test_a_replay_is_previewed_and_its_progress_shown(
    sign_in: SignIn, send: Send, token: Token
) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a", "b")
    page = sign_in(operator(), f"/console/integrations/{integration.pk}/")
    expect(page.locator(".hs-reasons")).to_contain_text("2 The destination rejected the request")
    follow(page, ".hs-tools >> text=Replay")
    follow(page, "button:has-text('Update preview')")
    expect(page.locator(".hs-preview strong")).to_have_text("2")
    follow(page, "input[type=submit]")
    expect(page.locator(".hs-operations")).to_contain_text("0 of 2, started by olaf")
    shoot(page, "console-integration-replay")
    replay(integration)
    expect(page.locator(".hs-operations li")).to_have_count(2)


def test_the_button_that_the_state_calls_for_stands_out(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    client = Client()
    client.force_login(operator())
    address = f"/console/integrations/{integration.pk}/"

    def primary() -> list[str]:
        return re.findall(
            r'<li class="hs-primary">.*?>(\w[\w ]+)</', client.get(address).content.decode()
        )

    assert primary() == ["Send a test event"]
    let_die(send, integration, "a")
    assert primary() == ["Replay"]
    integration.pause(reason="their migration", by="anna")
    assert primary() == ["Resume"]


def test_what_failed_is_one_click_from_its_deliveries(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a", status=422)
    client = Client()
    client.force_login(viewer())
    address = f"/console/integrations/{integration.pk}/"
    page = client.get(address).content.decode()
    assert f'href="{address}deliveries/?status=422"' in page
    assert page.count(f'href="{address}deliveries/?state=dead"') == 2
    assert '<dd class="hs-bad">' in page


def test_an_integration_whose_hits_all_die_does_not_look_well(send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a", "b")
    client = Client()
    client.force_login(operator())
    for path in ("/console/", "/console/integrations/"):
        assert "rejected: 2 dead letters</span>" in client.get(path).content.decode()
    with open_vendor(reply(200)) as vendor:
        Integration.objects.filter(pk=integration.pk).update(config={"url": vendor.url})
        post(send, "c")
        deliver()
    assert ">running</span>" in client.get("/console/integrations/").content.decode()
