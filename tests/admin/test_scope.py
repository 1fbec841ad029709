"""A token that is kept for groups, and all that belongs to it, in the admin."""

from copy import copy
from dataclasses import dataclass

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from tests.support.hits import Send
from tests.support.integrations import add_webhook
from tests.support.operations import let_die, post, replay
from tests.support.people import operator
from tracking.models import (
    AlertChannel,
    AlertRule,
    DeadLetter,
    Hit,
    Integration,
    Operation,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Kept:
    """The rows of a token that is kept for the group Shop."""

    token: Token
    integration: Integration
    operation: Operation
    hit: Hit


@pytest.fixture
def kept(send: Send, token: Token) -> Kept:
    integration = add_webhook(token, name="kept-hook")
    let_die(send, integration, "kept-event")
    post(send, "kept-event")
    Token.objects.filter(pk=token.pk).update(audience=["Shop"], name="kept-shop")
    token.refresh_from_db()
    return Kept(token, integration, replay(integration), Hit.objects.latest("pk"))


def client_of(*groups: str) -> Client:
    client = Client()
    client.force_login(operator(groups=groups))
    return client


LISTS = (
    "token",
    "integration",
    "hit",
    "delivery",
    "deadletter",
    "attempt",
    "revision",
    "operation",
)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_without_what_is_not_seen(kept: Kept, name: str) -> None:
    url = f"/admin/hitstream/{name}/"
    inside, outside = client_of("Shop"), Client()
    outside.force_login(operator("otto"))
    assert inside.get(url).context["cl"].result_count > 0
    answer = outside.get(url)
    assert answer.context["cl"].result_count == 0
    assert b"kept-" not in answer.content


def test_pages_and_verbs_of_what_is_not_seen_are_not_there(kept: Kept) -> None:
    integration, token = kept.integration.pk, kept.token.pk
    paths = [
        *(f"integration/{integration}/{verb}/" for verb in ("change", "pause", "resume", "drain")),
        *(f"integration/{integration}/{verb}/" for verb in ("replay", "backfill", "ledger")),
        *(f"integration/{integration}/{verb}/" for verb in ("verify", "history")),
        *(f"token/{token}/{verb}/" for verb in ("change", "rotate", "revoke", "ledger")),
        f"operation/{kept.operation.pk}/change/",
        f"hit/{kept.hit.pk}/change/",
    ]
    outside = client_of()
    inside = Client()
    inside.force_login(operator("ines", groups=("Shop",)))
    for path in paths:
        assert inside.get(f"/admin/hitstream/{path}").status_code == 200, path
        # Django's own pages lead to the index with a message.
        assert outside.get(f"/admin/hitstream/{path}").status_code in {302, 404}, path
    for verb in ("pause", "resume", "replay"):
        data = {"reason": "mischief"}
        url = f"/admin/hitstream/integration/{integration}/{verb}/"
        assert outside.post(url, data).status_code == 404
    assert outside.post(f"/admin/hitstream/operation/{kept.operation.pk}/stop/").status_code == 404
    kept.integration.refresh_from_db()
    assert kept.integration.paused_at is None


def test_dead_letters_that_are_not_seen_are_not_replayed(kept: Kept) -> None:
    letter = DeadLetter.objects.get()
    data = {"action": "replay", "_selected_action": [letter.pk]}
    client_of().post("/admin/hitstream/deadletter/", data)
    assert DeadLetter.objects.filter(pk=letter.pk).exists()


def test_hits_that_are_not_seen_hide_none_that_are(kept: Kept) -> None:
    """A search of dead letters looks at the last thousand hits of that name."""
    own, _ = Token.objects.issue("own")
    letter = DeadLetter.objects.get()
    hit = Hit.objects.get(pk=letter.hit_id)
    hit.token, hit.pk, hit.name = own, uuid7(), "same"
    hit.save(force_insert=True)
    letter.pk, letter.hit_id, letter.integration = None, hit.pk, add_webhook(own, name="own-hook")
    letter.save(force_insert=True)
    others = []
    for _ in range(1000):
        other = copy(hit)
        other.token, other.pk = kept.token, uuid7()
        others.append(other)
    Hit.objects.bulk_create(others)
    found = client_of().get("/admin/hitstream/deadletter/?q=same").context["cl"]
    assert [each.hit_id for each in found.result_list] == [hit.pk]


def test_nothing_is_added_to_or_previewed_of_a_token_that_is_not_seen(kept: Kept) -> None:
    outside = client_of()
    answer = outside.get("/admin/hitstream/integration/add/?destination=webhook")
    assert b"kept-shop" not in answer.content
    data = {"token": kept.token.pk, "name": "x", "config-url": "http://127.0.0.1:9/"}
    outside.post("/admin/hitstream/integration/add/?destination=webhook", data)
    assert Integration.objects.count() == 1
    preview = outside.post("/admin/hitstream/integration/mapping/", {"token": kept.token.pk})
    assert preview.status_code == 404


@pytest.mark.parametrize("wanted", ["", "x", "-1", "9" * 19, "9" * 5000])
def test_a_preview_of_what_is_no_token_is_refused(kept: Kept, wanted: str) -> None:
    answer = client_of().post("/admin/hitstream/integration/mapping/", {"token": wanted})
    assert (answer.status_code, answer.content) == (400, b"Choose a token.")


def test_a_group_that_there_is_not_is_refused(token: Token) -> None:
    client = client_of("Shop")
    data = {"name": "shop", "enabled": "on", "ip_policy": "keep", "audience": "Shop\nShip"}
    url = f"/admin/hitstream/token/{token.pk}/change/"
    inline = {"integrations-TOTAL_FORMS": "0", "integrations-INITIAL_FORMS": "0"}
    answer = client.post(url, {**data, **inline})
    assert b"There is no group" in answer.content
    client.post(url, {**data, **inline, "audience": "Shop"})
    token.refresh_from_db()
    assert token.audience == ["Shop"]


def test_rules_about_what_is_not_seen_are_not_there(kept: Kept) -> None:
    AlertRule.objects.all().delete()
    kept_rules = [
        AlertRule.objects.create(kind="source", token=kept.token),
        AlertRule.objects.create(kind="paused", integration=kept.integration),
    ]
    outside = client_of()
    lists = outside.get("/admin/hitstream/alertrule/")
    assert lists.context["cl"].result_count == 0
    assert b"kept-" not in lists.content
    assert b"kept-" not in outside.get("/admin/hitstream/alertrule/add/").content
    for rule in kept_rules:
        url = f"/admin/hitstream/alertrule/{rule.pk}/change/"
        assert outside.get(url).status_code == 302
        outside.post(url, {"kind": rule.kind, "threshold": 0, "minutes": 60, "calm": 1})
        rule.refresh_from_db()
        assert rule.calm == 10


def test_who_does_not_see_all_tokens_decides_nothing_about_alerts_of_all(kept: Kept) -> None:
    """A channel is told of every token, and a rule about all of them is also about the others."""
    AlertRule.objects.all().delete()
    general = AlertRule.objects.create(kind="paused")
    mail = AlertChannel.objects.create(name="Operators", kind="email", config={"to": ["a@b.c"]})
    outside = client_of()
    asked = {"kind": "paused", "threshold": 0, "minutes": 60, "calm": 1}
    for url in (
        f"/admin/hitstream/alertrule/{general.pk}/change/",
        "/admin/hitstream/alertchannel/add/?kind=email",
        f"/admin/hitstream/alertchannel/{mail.pk}/change/",
    ):
        said = {**asked, "name": "Mine", "config-to": "otto@example.org"}
        assert outside.post(url, said).status_code == 403
    assert outside.post("/admin/hitstream/alertrule/add/", asked).status_code == 200
    own, _ = Token.objects.issue("own")
    outside.post("/admin/hitstream/alertrule/add/", {**asked, "token": own.pk})
    assert [rule.token for rule in AlertRule.objects.exclude(pk=general.pk)] == [own]
    assert AlertChannel.objects.get() == mail


@pytest.mark.parametrize("path", ["deadletter/", "alertrule/add/"])
def test_a_list_asks_no_more_for_many_integrations(
    token: Token, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        add_webhook(token, name=f"Webhook {number}")
    client = client_of()
    with django_assert_max_num_queries(25):
        assert client.get(f"/admin/hitstream/{path}").status_code == 200
