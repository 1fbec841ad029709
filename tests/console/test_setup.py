"""The checklist on Home: done by what the database holds, hidden by choice."""

from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.hits import Send, hit
from tests.support.integrations import add_webhook
from tests.support.people import operator, viewer
from tracking.ingest.demo import demo
from tracking.ingest.demo.shop import shop_hits
from tracking.models import Hit, Token
from tracking.models.ledger import ingest_stats

pytestmark = pytest.mark.django_db(transaction=True)
HOME, PAGE = "/console/", "/console/setup/"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(operator())
    return client


def test_a_step_is_done_once_the_facts_show_it(client: Client, send: Send, token: Token) -> None:
    assert "0 of 5 done" in client.get(HOME).content.decode()
    send(hit())
    add_webhook(token)
    assert "2 of 5 done" in client.get(HOME).content.decode()


def test_a_token_that_is_only_named_demo_counts(client: Client, send: Send, token: Token) -> None:
    Token.objects.filter(pk=token.pk).update(name="demo")
    send(hit())
    add_webhook(token)
    assert "2 of 5 done" in client.get(HOME).content.decode()


def test_only_the_next_step_has_the_filled_button(client: Client, token: Token) -> None:
    text = client.get(PAGE).content.decode()
    assert text.count('class="button hs-do"') == 1
    # Nothing can be tested yet.
    assert "Open the integration" not in text
    add_webhook(token)
    assert "Open the integration" in client.get(PAGE).content.decode()


def test_the_real_key_is_shown_to_those_who_may_rotate_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, secret = Token.objects.issue("development")
    (tmp_path / "development_token").write_text(f"{secret}\n")
    monkeypatch.setenv("HITSTREAM_VAR", str(tmp_path))
    assert str(secret) in client.get(HOME).content.decode()
    client.force_login(viewer())
    assert str(secret) not in client.get(HOME).content.decode()


def test_it_is_hidden_and_comes_back(client: Client) -> None:
    client.post(f"{PAGE}hide/")
    assert "hs-setup-title" not in client.get(HOME).content.decode()
    assert "of 5 done" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}hide/", {"show": "1"})
    assert "hs-setup-title" in client.get(HOME).content.decode()


def test_demo_data_comes_and_goes_by_a_button(
    client: Client, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(hit())
    monkeypatch.setattr(ingest_stats, "SAMPLE", 100)
    client.force_login(User.objects.create_superuser("root"))
    monkeypatch.setattr(demo, "shop_hits", partial(shop_hits, days=1))
    client.post(f"{PAGE}demo/")
    assert Hit.objects.count() > 100
    # What it stored did not arrive: it is named as imported.
    home = client.get(HOME).content.decode()
    assert '<span class="quiet">imported</span>' in home
    assert "1.0/min now" in home
    text = client.get(PAGE).content.decode()
    assert "1 of 5 done" in text
    assert "Delete the demo data" in text
    client.post(f"{PAGE}demo/", {"delete": "1"})
    assert Hit.objects.count() == 1
    assert "demo (deleted)" not in client.get(HOME).content.decode()
    client.force_login(viewer())
    assert client.post(f"{PAGE}demo/").status_code == 403
