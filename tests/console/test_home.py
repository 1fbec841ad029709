"""The console's home: what came in, where it goes, what is in its way."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import expect
from uuid_utils.compat import uuid7

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow, shoot
from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import deliver, let_die, post
from tests.support.people import operator, viewer
from tests.support.vendor import open_vendor, reply
from tracking.alerts.evaluate import evaluate
from tracking.console.home import ROWS
from tracking.console.integrations import PER_PAGE
from tracking.ingest.write.refusals import refusals
from tracking.models import (
    AlertRule,
    DeadLetter,
    Integration,
    Ledger,
    LifetimeTotal,
    Outcome,
    QueuedDelivery,
    Token,
)
from tracking.models.ledger.delivery_stats import (
    MANY,
    REACH,
    count_by_result,
    count_waiting,
    measure_latency,
)
from tracking.models.ledger.ingest_stats import hit_rates, ingest_volume
from tracking.models.ledger.totals import Balance

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(hours=2)


def since() -> datetime:
    return datetime.now(UTC) - AGO


def test_what_came_in_is_counted_by_token_and_reason(send: Send, token: Token) -> None:
    other, _ = Token.objects.issue("blog")
    send(hit(hitId="a"))
    send(hit(hitId="a"))
    send({"event": {"name": "nobody"}})
    send(hit(), authorization="Basic Og==")
    refusals.write()
    for _ in range(2):
        found = ingest_volume(since())
        assert (found.tokens[token.pk].accepted, found.tokens[token.pk].duplicate) == (2, 1)
        assert found.tokens[token.pk].reasons == {"user_required": 1}
        assert found.tokens[0].refused == 1
        assert found.total.stored == 1
        assert found.total.refused == 2
        assert sum(counts["accepted"] for counts in found.quarters.values()) == 2
        # The same, once the tallies are rolled up.
        Ledger.objects.consolidate()
    assert ingest_volume(since(), [other.pk]).tokens == {}
    assert hit_rates()[token.pk] == 1.0


def test_the_numbers_of_an_integration_are_those_of_its_rows(send: Send, token: Token) -> None:
    integration = add_webhook(token, retry_base=60)
    let_die(send, integration, "a", "b")
    with open_vendor(reply(503)) as vendor:
        integration.config = {**integration.config, "url": vendor.url}
        integration.save()
        post(send, "c")
        deliver()
    with open_vendor(reply(200)) as vendor:
        integration.config = {**integration.config, "url": vendor.url}
        integration.save()
        post(send, "d")
        deliver()
    integration.pause(reason="so", by="anna")
    post(send, "e", "f", "g")
    for _ in range(2):
        balance = LifetimeTotal.objects.balances()[integration.pk]
        waits = count_waiting([integration.pk])[integration.pk]
        assert (balance["matched"], balance["delivered"], balance["dead"]) == (7, 1, 2)
        assert (balance.queued, waits.retrying) == (4, 1)
        assert count_by_result([integration.pk], since())[integration.pk]["delivered"] == 1
        Ledger.objects.consolidate()
    oldest = waits.oldest
    assert oldest is not None
    assert oldest == min(integration.queueddelivery_set.values_list("queued_at", flat=True))
    assert 0 < measure_latency([integration.pk])[integration.pk].p50 < 60


def test_what_was_never_sent_to_has_no_numbers(token: Token) -> None:
    integration = add_webhook(token)
    assert LifetimeTotal.objects.balances().get(integration.pk, Balance({})).queued == 0
    assert count_waiting([integration.pk])[integration.pk].oldest is None
    assert measure_latency([integration.pk]) == {}


def test_what_is_not_counted_to_its_end_is_not_told_as_if_it_were(token: Token) -> None:
    integration = add_webhook(token)
    LifetimeTotal.objects.create(
        token_id=token.pk, integration_id=integration.pk, kind="matched", count=3 * MANY
    )
    now = datetime.now(UTC)
    QueuedDelivery.objects.bulk_create(
        QueuedDelivery(
            hit_id=uuid7(),
            token_id=integration.token_id,
            integration=integration,
            due_at=now,
            attempts=1,
        )
        for _ in range(MANY)
    )
    client = Client()
    client.force_login(viewer())
    for path in ("/console/", "/console/integrations/", f"/console/integrations/{integration.pk}/"):
        text = client.get(path).content.decode()
        assert "10,000+" in text
        assert "≤ 20,000" in text


def test_a_delivery_before_thousands_of_skipped_hits_is_not_looked_for(token: Token) -> None:
    """Of an integration that skips everything there may be millions of ends and no delivery."""
    integration = add_webhook(token)

    def end(result: str, count: int) -> None:
        ended = {
            "token_id": token.pk,
            "integration": integration,
            "result": result,
            "settled_at": datetime.now(UTC),
            "waited": 0.2,
        }
        Outcome.objects.bulk_create(
            Outcome(hit_id=uuid7(), attempt_id=uuid7(), **ended) for _ in range(count)
        )

    end("delivered", 1)
    end("skipped", REACH - 1)
    assert measure_latency([integration.pk]).keys() == {integration.pk}
    end("skipped", 1)
    assert not measure_latency([integration.pk])


def test_a_replay_or_a_backfill_does_not_count_since_the_hits_arrival(
    send: Send, token: Token
) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a")
    time.sleep(1.5)
    with open_vendor(reply(200)) as vendor:
        integration.config = {**integration.config, "url": vendor.url}
        integration.save()
        DeadLetter.objects.all().replay()
        deliver()
    assert len(vendor.received) == 1
    latency = measure_latency([integration.pk])[integration.pk]
    assert 0 < latency.p50 < 1.5


def test_a_token_that_is_not_seen_is_not_on_the_page(send: Send, token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(audience=["Shop"], name="hidden-shop")
    add_webhook(token, name="hidden-hook")
    post(send, "a")
    for person, is_shown in ((viewer("in", groups=("Shop",)), True), (viewer("out"), False)):
        client = Client()
        client.force_login(person)
        text = client.get("/console/").content.decode()
        assert ("hidden-shop" in text) is is_shown
        assert ("hidden-hook" in text) is is_shown
        text = client.get("/console/integrations/").content.decode()
        assert ("hidden-hook" in text) is is_shown


def test_the_empty_page_says_where_to_begin(sign_in: SignIn) -> None:
    page = sign_in(operator(), "/console/")
    page.get_by_role("link", name="Issue one").wait_for()
    assert violations(page) == []
    shoot(page, "console-home-empty")


def test_the_page_shows_numbers_and_draws_them(sign_in: SignIn, send: Send, token: Token) -> None:
    integration = add_webhook(token)
    let_die(send, integration, "a", "b")
    down = add_webhook(token, name="Warehouse")
    down.pause(reason="Moving to another account", by="anna")
    post(send, *(f"event {n}" for n in range(30)))
    AlertRule.objects.create(kind="paused", minutes=1)
    Integration.objects.filter(pk=down.pk).update(paused_at=datetime.now(UTC) - AGO)
    evaluate()
    page = sign_in(operator(), "/console/")
    page.locator(".hs-chart canvas").wait_for()
    expect(page.locator(".hs-attention")).to_contain_text("Moving to another account")
    expect(page.locator(".hs-tiles")).to_contain_text("32")
    for width in (1440, 1024, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        header = page.locator("#header").bounding_box()
        assert header is not None
        assert header["height"] < 60, width
        assert page.locator(".hs-nav").is_visible() == (width >= 1024)
    page.get_by_role("link", name="Menu").click()
    expect(page.locator(".hs-nav")).to_be_in_viewport()
    page.get_by_role("link", name="Close the menu").click()
    expect(page.locator(".hs-nav")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 900})
    named = page.locator("[aria-labelledby=tokens]").get_by_role("link", name=str(token))
    assert named.get_attribute("href") == f"/admin/hitstream/token/{token.pk}/change/"
    page.get_by_text("Show data").click()
    assert page.locator("table[data-chart] tbody tr").count() >= 24
    for span in ("7 days", "30 days", "24 h"):
        follow(page, page.get_by_role("link", name=span))
        page.locator(".hs-chart canvas").wait_for()
    assert violations(page) == []
    shoot(page, "console-home")


def test_of_many_tokens_and_integrations_the_first_are_told(token: Token) -> None:
    for number in range(ROWS + 5):
        Token.objects.issue(f"token {number}")
        add_webhook(token, name=f"Hook {number}")
    add_webhook(token, name="Zoo").pause(reason="Moving", by="anna")
    client = Client()
    client.force_login(viewer())
    text = client.get("/console/").content.decode()
    assert "6 more sent fewer hits" in text
    assert "And 6 more:" in text
    # What is held back comes first.
    assert text.index("Zoo") < text.index("Hook 0")


def test_the_list_of_integrations_has_pages(token: Token) -> None:
    for number in range(PER_PAGE + 1):
        add_webhook(token, name=f"Hook {number:03}")
    client = Client()
    client.force_login(viewer())
    first, second = (
        client.get(f"/console/integrations/?span=7d&page={page}").content.decode()
        for page in (1, 2)
    )
    assert "page=2" in first
    assert f"Hook {PER_PAGE:03}" in second
    assert f"Hook {PER_PAGE:03}" not in first
    assert client.get("/console/integrations/?page=nonsense").status_code == 200
