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
