"""The pages of what was done: an attempt, a revision, an import; and a token's integrations."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from uuid_utils.compat import uuid7

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, replay
from tests.support.people import person
from tests.support.vendor import open_vendor, reply
from tracking.delivery.engine import engine
from tracking.models import Attempt, FileImport, Hit, Integration, Outcome, Token
from tracking.models.explain import attempt_hits as lookup
from tracking.models.explain.attempt_hits import attempt_hits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def failed(send: Send, token: Token) -> Attempt:
    """A request that a vendor refuses, with one hit."""
    with open_vendor(reply(400, b'{"error":"no such customer"}')) as vendor:
        add_webhook(token, vendor.url, name="Orders")
        send(hit(hitId="h1"))
        engine.run()
    return Attempt.objects.get()


def page_of(client: Client, name: str, pk: object) -> str:
    return client.get(f"/admin/hitstream/{name}/{pk}/change/").content.decode()


def test_an_attempt_leads_to_its_hit_and_its_delivery(operator: Client, failed: Attempt) -> None:
    page = page_of(operator, "attempt", failed.pk)
    stored, integration = Hit.objects.get(), Integration.objects.get()
    assert re.search(r"<h1>Attempt to Orders\s+<span class=\"hs-pill hs-bad\">HTTP 400", page)
    assert f'href="/console/hits/{stored.pk}/"' in page
    assert f'href="/console/deliveries/{stored.pk}/{integration.pk}/"' in page
    assert f'href="/console/integrations/{integration.pk}/"' in page
    assert "curl --request POST" in page
    log = re.search(r'href="(/console/deliveries/\?integration=[^"]+)"', page)
    assert log
    assert str(stored.pk) in operator.get(log[1].replace("&amp;", "&")).content.decode()


def test_an_attempt_shows_no_hit_to_who_may_not_see_hits(failed: Attempt) -> None:
    client = Client()
    client.force_login(person("anna", "view_attempt"))
    page = page_of(client, "attempt", failed.pk)
    assert "Attempt to Orders" in page
    assert "/console/hits/" not in page
    assert "/console/deliveries/" not in page


def test_the_hits_of_a_request_are_found_by_their_ids_and_by_their_time(
    failed: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "REACH", 0)
    assert [each.hit_id for each in attempt_hits(failed)] == ["h1"], "by the id in the request"
    failed.request_body, failed.request_headers = "", {}
    assert attempt_hits(failed) == []
    monkeypatch.setattr(lookup, "REACH", 5)
    assert [each.hit_id for each in attempt_hits(failed)] == ["h1"], "among the last"
    Outcome.objects.update(attempt_id=UUID(str(uuid7())))
    assert attempt_hits(failed) == []


def test_a_revision_says_what_it_changed(operator: Client, token: Token) -> None:
    token.rate_limit = 10
    token.save(by="anna")
    token.rate_limit = 20
    token.save(by="bert")
    first, middle, last = token.revisions.order_by("number")
    page = page_of(operator, "revision", middle.pk)
    assert "nothing → 10" in page
    assert "<dd>anna</dd>" in page
    for beside in (first, last):
        assert f'href="/admin/hitstream/revision/{beside.pk}/change/"' in page
    assert f'href="/admin/hitstream/token/{token.pk}/change/"' in page
    assert "10 → 20" in page_of(operator, "revision", last.pk)


def test_a_token_shows_each_integration_once(operator: Client, token: Token) -> None:
    integration = add_webhook(token, name="Orders", enabled=False)
    page = page_of(operator, "token", token.pk)
    table = page.partition("hs-token-integrations")[2].partition("</fieldset>")[0]
    assert table.count("Orders") == 1
    assert f'href="/console/integrations/{integration.pk}/"' in table
    assert "disabled" in table


def test_an_import_shows_what_became_of_its_lines(operator: Client, token: Token) -> None:
    now = datetime.now(UTC)
    imported = FileImport.objects.create(
        token=token,
        name="march.ndjson",
        digest=b"1",
        lines=1_010,
        stored=900,
        duplicate=80,
        refused=20,
        started_at=now - timedelta(seconds=10),
        finished_at=now,
    )
    page = page_of(operator, "fileimport", imported.pk)
    assert "<h1>Import of march.ndjson</h1>" in page
    assert "101 per second" in page
    assert re.search(r"Refused</dt><dd class=\"hs-bad\">20<", page)
    assert re.search(r"Empty lines</dt><dd>10<", page)
    assert ".refused" in page
    assert f'href="/admin/hitstream/hit/?token__id__exact={token.pk}"' in page


@pytest.mark.parametrize(("days", "state"), [(0, "Running"), (2, "Broken off")])
def test_an_import_without_an_end_runs_or_is_broken_off(
    operator: Client, token: Token, days: int, state: str
) -> None:
    began = datetime.now(UTC) - timedelta(days=days)
    imported = FileImport.objects.create(token=token, name="a", digest=b"1", started_at=began)
    assert f">{state}</span>" in page_of(operator, "fileimport", imported.pk)


def test_an_operation_leads_to_its_deliveries(operator: Client, send: Send, token: Token) -> None:
    integration = add_webhook(token, name="Orders")
    let_die(send, integration, "Paid", "Refunded")
    operation = replay(integration, event="Paid", status="4xx")
    page = page_of(operator, "operation", operation.pk)
    links = dict(re.findall(r'<a href="(/console/deliveries/[^"]+)">([^<]+)</a>', page))
    assert list(links.values()) == ["All deliveries", "Delivered", "Dead", "Queued", "Retrying"]
    (dead,) = (url for url, label in links.items() if label == "Dead")
    log = operator.get(dead.replace("&amp;", "&")).content.decode()
    rows = log.partition('id="hs-log"')[2]
    assert "Paid" in rows
    assert "Refunded" not in rows
    Integration.objects.update(deleted_at=datetime.now(UTC))
    assert "/console/deliveries/?" not in page_of(operator, "operation", operation.pk)
