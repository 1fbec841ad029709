"""A token with many integrations: a change costs the same, and no page grows with all of them."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.ledger import discrepancies
from tests.support.sizes import of_faults
from tracking.admin.integration_inline import SHOWN
from tracking.models import Hit, Integration, Revision, Token
from tracking.models.access.scope import Scope
from tracking.models.explain.audit_log import audit_entries

pytestmark = pytest.mark.django_db(transaction=True)


def cost_of_adding(token: Token, name: str) -> tuple[int, int]:
    """Statements, and bytes of the revision."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        add_webhook(token, name=name)
    return len(queries), len(json.dumps(Revision.objects.latest("pk").snapshot))


@pytest.mark.faults
def test_an_integration_costs_the_same_however_many_there_are(send: Send, token: Token) -> None:
    first = cost_of_adding(token, "w0000")
    many = of_faults(1_000)
    for number in range(1, many):
        add_webhook(token, name=f"w{number:04}")
    last = cost_of_adding(token, f"w{many:04}")
    assert last[0] == first[0]
    assert last[1] < first[1] + 10, "but for the digits of the id"
    send(hit())
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(f"/admin/hitstream/token/{token.pk}/change/")
    (inline,) = page.context["inline_admin_formsets"]
    assert len(inline.formset.forms) == SHOWN
    integrations = Revision.objects.latest("pk").configuration()["integrations"]
    assert len(integrations) == many + 1
    page = client.get(f"/console/hits/{Hit.objects.get().pk}/")
    assert page.content.decode().count("w00") >= 10


def test_the_page_of_a_token_with_many_integrations_can_be_saved(token: Token) -> None:
    for number in range(SHOWN + 5):
        Integration.objects.create(token=token, name=f"n{number:03}", destination="webhook")
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    url = f"/admin/hitstream/token/{token.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: form.get_initial_for_field(f, name) for name, f in form.fields.items()}
    data = {name: "" if value in (None, []) else value for name, value in data.items()}
    inline = {"integrations-TOTAL_FORMS": SHOWN, "integrations-INITIAL_FORMS": SHOWN}
    for number, pk in enumerate(token.integrations.values_list("pk", flat=True)[:SHOWN]):
        inline |= {f"integrations-{number}-id": pk, f"integrations-{number}-token": token.pk}
    answer = client.post(url, {**data, "rate_limit": 7, **inline})
    assert answer.status_code == 302
    token.refresh_from_db()
    assert token.rate_limit == 7


def test_each_revision_has_the_integrations_of_its_time(send: Send, token: Token) -> None:
    first = add_webhook(token, name="First")
    send(hit(hitId="a"))
    second = add_webhook(token, name="Second")
    first.enabled = False
    first.save(by="anna")
    send(hit(hitId="b"))
    shown = {
        each.number: {
            value["name"]: value["enabled"]
            for value in each.configuration()["integrations"].values()
        }
        for each in token.revisions.order_by("number")
    }
    assert [*shown.values()] == [
        {},
        {"First": True},
        {"First": True, "Second": True},
        {"First": False, "Second": True},
    ]
    token.refresh_from_db()
    second.save(by="bert")
    assert token.revisions.count() == 4, "what changes nothing is no revision"
    lines = [line for entry in audit_entries(Scope(None), limit=9) for line in entry.lines]
    assert lines == [
        "First: enabled: true → false",
        "Added Second (webhook).",
        "Added First (webhook).",
        "Issued the token.",
    ]


def test_a_hit_without_a_trace_is_found_by_the_revision_that_it_carries(
    send: Send, token: Token, no_lag: None
) -> None:
    first = add_webhook(token, name="First")
    send(hit(hitId="a"))
    add_webhook(token, name="Second")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM hitstream_queue")
    found = [str(each) for each in discrepancies()]
    assert any("First" in each for each in found)
    assert not any("Second" in each for each in found)
    assert first.pk
