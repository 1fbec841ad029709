"""Addresses and parameters that nobody would type: answered, not a traceback."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.people import operator
from tracking.console.poll_token import HEADER, MAX_LENGTH, PollToken
from tracking.models import Delivery, Hit, Token
from tracking.models.access.scope import Scope

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = [
    "token",
    "integration",
    "hit",
    "delivery",
    "deadletter",
    "attempt",
    "revision",
    "operation",
]
LISTS += ["alertchannel", "alertrule"]
NONSENSE = ("9" * 5000, "9" * 19, "٣", "-1", "x", "\0", "😀")


@pytest.fixture
def client(transactional_db: None) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_no_error_of_the_server(
    client: Client, send: Send, token: Token, nonsense: str
) -> None:
    integration = add_webhook(token)
    send(hit())
    hit_id = Hit.objects.get().pk
    quoted = nonsense.replace("\0", "%00")
    for name in LISTS:
        answer = client.get(f"/admin/hitstream/{name}/{quoted}/change/")
        assert answer.status_code < 500, name
        for parameter in ("q", "token__id__exact", "integration__id__exact", "p", "o", "code"):
            answer = client.get(f"/admin/hitstream/{name}/", {parameter: nonsense})
            assert answer.status_code < 500, (name, parameter)
    for page in (
        f"integration/{quoted}/pause",
        f"token/{quoted}/rotate",
        f"operation/{quoted}/stop",
        f"delivery/{hit_id}:{quoted}/change",
        f"integration/{integration.pk}/replay/?since={quoted}&until={quoted}&code={quoted}&x=",
        f"integration/{integration.pk}/ledger/?days={quoted}&x=",
        f"integration/add/?destination=webhook&token={quoted}&x=",
    ):
        assert client.get(f"/admin/hitstream/{page}/").status_code < 500, page
    answer = client.post("/admin/hitstream/integration/mapping/", {"token": nonsense})
    assert answer.status_code == 400
    for page in (
        f"live/?guide={quoted}",
        f"integrations/?page={quoted}",
        f"integrations/{quoted}/",
        f"search/?q={quoted}",
        f"audit/?token={quoted}&by={quoted}&before={quoted}",
        f"alerts/?before={quoted}",
        f"analytics/?token={quoted}&event={quoted}&from={quoted}",
    ):
        assert client.get(f"/console/{page}").status_code < 500, page


@pytest.mark.parametrize("name", ["9" * 5000, "٣" * 3, "-1", ""])
def test_a_command_with_a_nonsense_id_says_so(name: str) -> None:
    with pytest.raises(CommandError, match="There is no integration"):
        call_command("resume", name, "--yes")


def test_the_delivery_of_a_hit_to_several_integrations_has_a_page_each(
    client: Client, send: Send, token: Token
) -> None:
    first = add_webhook(token, name="First")
    send(hit(hitId="one"))
    second = add_webhook(token, name="Second")
    send(hit(hitId="two"))
    one = Hit.objects.get(hit_id="one").pk
    two = Hit.objects.get(hit_id="two").pk
    assert Delivery.objects.filter(hit_id=two).count() == 2
    pages = "/admin/hitstream/delivery/{}/change/"
    for key, name in (
        (f"{one}", "First"),
        (f"{one}:{first.pk}", "First"),
        (f"{two}:{first.pk}", "First"),
        (f"{two}:{second.pk}", "Second"),
    ):
        answer = client.get(pages.format(key))
        assert answer.status_code == 200
        assert answer.context["original"].integration.name == name
    for key in (f"{two}", f"{two}:{second.pk + 1000}", f"{one}:{second.pk}"):
        assert client.get(pages.format(key)).status_code == 302


def test_a_ticket_for_any_number_of_tokens_fits_into_a_header(send: Send, token: Token) -> None:
    send(hit())
    user = operator()
    many = Scope(frozenset({token.pk, *(token.pk + 7 * n * n for n in range(20_000))}))
    ticket = PollToken(many, user.pk).sign()
    assert len(ticket) <= MAX_LENGTH
    client = Client()
    seen = client.get("/console/live/hits/", headers={HEADER: ticket}).json()
    assert len(seen["hits"]) == 1
    Token.objects.update(audience=["Shop"])
    hidden = PollToken(many, operator("otto").pk).sign()
    seen = client.get("/console/live/hits/", headers={HEADER: hidden}).json()
    assert seen["hits"] == []
