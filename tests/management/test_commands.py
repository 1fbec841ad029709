"""The commands, as an operator or a script calls them."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.support.hits import Send, basic, hit
from tests.support.integrations import add_webhook
from tests.support.vendor import open_vendor, reply
from tracking.models import Attempt, Delivery, Hit, Integration, Token

pytestmark = pytest.mark.django_db(transaction=True)


def call(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_issue_token_prints_what_a_script_needs(send: Send) -> None:
    issued = json.loads(call("issue_token", "app", "--json"))
    assert issued.keys() == {"name", "api_token", "project_id"}
    assert str(Token.objects.get(name="app").project_id) == issued["project_id"]
    assert send(hit(), authorization=basic(issued["api_token"])).status_code == 204


def test_issue_token_refuses_a_name_twice() -> None:
    call("issue_token", "app")
    with pytest.raises(CommandError, match="already"):
        call("issue_token", "app")


def test_the_secret_is_nowhere_in_the_database() -> None:
    secret = json.loads(call("issue_token", "app", "--json"))["api_token"]
    token = Token.objects.get()
    assert secret not in json.dumps(list(Token.objects.values()), default=str)
    assert secret.startswith(token.prefix)
    assert len(secret) - len(token.prefix) > 30


def add(*arguments: str, config: Any) -> str:
    return call("add_integration", *arguments, "--config", json.dumps(config))


def test_add_integration_sets_up_a_destination(send: Send, token: Token) -> None:
    with open_vendor(reply()) as vendor:
        made = json.loads(
            add("shop", "webhook", "--name", "Orders", "--json", config={"url": vendor.url})
        )
        assert made["signing_secret"].startswith("whsec_")
        integration = Integration.objects.get(pk=made["id"])
        assert (integration.token, integration.name) == (token, "Orders")
        send(hit())
        assert "1 integrations have due deliveries" in call("sweep", "--deliver")
        assert len(vendor.received) == 1


@pytest.mark.parametrize(
    ("arguments", "config", "complaint"),
    [
        (("nobody", "webhook"), {}, "nobody"),
        (("shop", "telepathy"), {}, "telepathy"),
        (("shop", "webhook"), {}, "url"),
        (("shop", "webhook"), {"url": "no"}, "url"),
        (("shop", "webhook"), {"url": "https://a.example", "colour": 1}, "colour"),
        (("shop", "webhook"), [], "object"),
        (("shop", "webhook", "--name", "Webhook"), {"url": "https://a.example"}, "already"),
    ],
)
def test_add_integration_says_what_is_wrong(
    token: Token, arguments: tuple[str, ...], config: Any, complaint: str
) -> None:
    add_webhook(token)
    with pytest.raises(CommandError, match=complaint):
        add(*arguments, config=config)
    assert Integration.objects.count() == 1


def test_sweep_does_what_beat_does(send: Send, token: Token) -> None:
    with open_vendor(reply()) as vendor:
        add_webhook(token, vendor.url)
        send(hit())
        assert call("sweep", "--deliver").startswith(
            "0 partitions created, 0 dedup keys deleted, 0 partitions dropped."
        )
    assert Delivery.objects.get().state == "delivered"
    assert Attempt.objects.get().status == 200
    assert Hit.objects.count() == 1


@pytest.mark.usefixtures("integration")
@pytest.mark.parametrize(
    "arguments",
    [
        ("issue_token", ""),
        ("issue_token", "   "),
        ("issue_token", "n" * 300),
        ("issue_token", "a\0b"),
        ("issue_token", "a\udcffb"),
        ("add_integration", "a\0b", "webhook"),
        ("add_integration", "shop", "webhook", "--name", "n" * 300),
        ("add_integration", "shop", "webhook", "--event", "e" * 300),
        ("add_integration", "shop", "webhook", "--event", ""),
        ("add_integration", "shop", "a\0b"),
        ("add_integration", "shop", "webhook", "--config", "[" * 100_000),
        ("pause", "shop/Orders", "--reason", "", "--yes"),
        ("pause", "shop/Orders", "--reason", "a\0b", "--yes"),
        ("pause", "9" * 5000, "--reason", "r", "--yes"),
        ("pause", "9" * 19, "--reason", "r", "--yes"),
        ("drain", "a\0b", "--yes"),
        ("resume", "shop/Orders", "--rate", "0", "--yes"),
        ("resume", "shop/Orders", "--rate", "9" * 5000, "--yes"),
        ("resume", "shop/Orders", "--rate", "3000000000", "--yes"),
        ("replay", "shop/Orders", "--rate", "3000000000", "--yes"),
        ("replay", "shop/Orders", "--since", "yesterday", "--yes"),
        ("replay", "shop/Orders", "--since", "0001-01-01T00:00:00+12:00", "--yes"),
        ("replay", "shop/Orders", "--message", "a\0b", "--yes"),
        ("replay", "shop/Orders", "--event", "a\0b", "--yes"),
        ("backfill", "shop/Orders", "--until", "", "--yes"),
        ("reconcile", "--since", "9999-12-31T23:59:59-12:00"),
        ("import_hits", "/nowhere", "--token", "a\0b"),
    ],
)
def test_an_argument_that_cannot_be_used_is_an_error_of_one_line(
    arguments: tuple[str, ...],
) -> None:
    with pytest.raises(CommandError) as refused:
        call(*arguments)
    assert 0 < len(str(refused.value)) < 400
    assert Token.objects.count() == Integration.objects.count() == 1


def test_a_command_writes_no_control_sequence_of_others(
    send: Send, integration: Integration
) -> None:
    sent = hit(event={"name": "E", "user": {"userId": "u\x9b31m\u202e"}})
    send(sent)
    shown = call("backfill", "shop/Orders", "--dry-run")
    assert "\x9b" not in shown
    assert "\u202e" not in shown
