"""A token that is kept for groups, and all that belongs to it, in the admin."""

from dataclasses import dataclass

import pytest
from django.test import Client

from tests.conftest import Send
from tests.integrations import add_webhook
from tests.operations import let_die, post, replay
from tests.people import operator
from tracking.models import AlertRule, DeadLetter, Hit, Integration, Operation, Token

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
    url = f"/admin/tracking/{name}/"
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
        assert inside.get(f"/admin/tracking/{path}").status_code == 200, path
        # Django's own pages lead to the index with a message.
        assert outside.get(f"/admin/tracking/{path}").status_code in {302, 404}, path
    for verb in ("pause", "resume", "replay"):
        data = {"reason": "mischief"}
        url = f"/admin/tracking/integration/{integration}/{verb}/"
        assert outside.post(url, data).status_code == 404
    assert outside.post(f"/admin/tracking/operation/{kept.operation.pk}/stop/").status_code == 404
    kept.integration.refresh_from_db()
    assert kept.integration.paused_at is None


def test_dead_letters_that_are_not_seen_are_not_replayed(kept: Kept) -> None:
    letter = DeadLetter.objects.get()
    data = {"action": "replay", "_selected_action": [letter.pk]}
    client_of().post("/admin/tracking/deadletter/", data)
    assert DeadLetter.objects.filter(pk=letter.pk).exists()


def test_nothing_is_added_to_or_previewed_of_a_token_that_is_not_seen(kept: Kept) -> None:
    outside = client_of()
    answer = outside.get("/admin/tracking/integration/add/?destination=webhook")
    assert b"kept-shop" not in answer.content
    data = {"token": kept.token.pk, "name": "x", "config-url": "http://127.0.0.1:9/"}
    outside.post("/admin/tracking/integration/add/?destination=webhook", data)
    assert Integration.objects.count() == 1
    preview = outside.post("/admin/tracking/integration/mapping/", {"token": kept.token.pk})
    assert preview.status_code == 404


def test_a_group_that_there_is_not_is_refused(token: Token) -> None:
    client = client_of("Shop")
    data = {"name": "shop", "enabled": "on", "ip_policy": "keep", "audience": "Shop\nShip"}
    url = f"/admin/tracking/token/{token.pk}/change/"
    inline = {"integrations-TOTAL_FORMS": "0", "integrations-INITIAL_FORMS": "0"}
    answer = client.post(url, {**data, **inline})
    assert b"There is no group" in answer.content
    client.post(url, {**data, **inline, "audience": "Shop"})
    token.refresh_from_db()
    assert token.audience == ["Shop"]


def test_alert_rules_are_without_what_is_not_seen(kept: Kept) -> None:
    AlertRule.objects.all().delete()
    AlertRule.objects.create(kind="disk")
    of_token = AlertRule.objects.create(kind="source", token=kept.token)
    AlertRule.objects.create(kind="dead", integration=kept.integration)
    url = "/admin/tracking/alertrule/"
    inside, outside = client_of("Shop"), Client()
    outside.force_login(operator("otto"))
    assert inside.get(url).context["cl"].result_count == 3
    assert outside.get(url).context["cl"].result_count == 1
    assert outside.get(f"{url}{of_token.pk}/change/").status_code == 302
    assert inside.get(f"{url}{of_token.pk}/change/").status_code == 200
    for client, is_seen in ((inside, True), (outside, False)):
        form = client.get(f"{url}add/").content.decode()
        assert ("kept-shop" in form, "kept-hook" in form) == (is_seen, is_seen)
