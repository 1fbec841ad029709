"""Samples of refused requests: masked, cut, few, and kept for a week."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.hits import Send, basic, hit
from tests.support.people import viewer
from tracking.ingest.errors import BadRequest
from tracking.ingest.write.refused_samples import MOST, masked, samples
from tracking.models import RefusedRequest, Token
from tracking.models.hits.refused_request import KEPT
from tracking.models.tokens.api_token import ApiToken
from tracking.models.upkeep import maintenance

pytestmark = pytest.mark.django_db(transaction=True)


def kept() -> list[RefusedRequest]:
    samples.write()
    return list(RefusedRequest.objects.order_by("id"))


def test_a_refused_request_is_kept_with_its_body_and_reason(send: Send, token: Token) -> None:
    assert send({"event": {"name": "nobody"}}, user_agent="shop/1").status_code == 400
    assert send(b"{", authorization="Basic Og==").status_code == 401
    assert send(hit()).status_code == 204
    first, second = kept()
    assert (first.token_id, first.code, first.method, first.path) == (
        token.pk,
        "user_required",
        "POST",
        "/track",
    )
    assert json.loads(first.body) == {"event": {"name": "nobody"}}
    assert first.message
    assert (second.token_id, second.body) == (0, ""), "its body was not read"


def test_a_refused_hit_of_a_batch_is_kept_alone(token: Token, secret: ApiToken) -> None:
    body = {"hits": [hit(), {"event": {"name": "nobody"}}]}
    answer = Client().post(
        "/track/batch",
        body,
        content_type="application/json",
        headers={"Authorization": basic(secret)},
    )
    assert answer.json()["refused"] == 1
    (sample,) = kept()
    assert json.loads(sample.body) == {"event": {"name": "nobody"}}


def test_secrets_are_masked_and_what_postgres_cannot_store_is_replaced() -> None:
    body = '{"writeKey":"abc","a":{"Password" : "x y","api_key":"k"},"name":"nul\0","text":"token"}'
    shown = masked(body)
    assert "abc" not in shown
    assert "x y" not in shown
    assert '"k"' not in shown
    assert '"text":"token"' in shown
    assert "\0" not in shown
    # A body that was cut in the middle of a secret.
    assert "abc" not in masked('{"a":1,"client_secret":"abc')


def test_a_flood_makes_few_samples_and_the_oldest_go(token: Token) -> None:
    for number in range(50):
        samples.note(token.pk, BadRequest("a", f"{number}"), {}, b"x" * 10_000)
    assert [each.message for each in kept()] == [str(number) for number in range(MOST)]
    for number in range(50, 50 + KEPT):
        samples.note(token.pk, BadRequest("a", f"{number}"), {}, b"")
        samples.write()
    samples.note(token.pk, BadRequest("b", "other"), {}, b"")
    found = kept()
    assert [each.message for each in found] == [*map(str, range(50, 50 + KEPT)), "other"]
    RefusedRequest.objects.filter(code="b").update(made_at=timezone.now() - timedelta(days=8))
    maintenance.prune_rows()
    assert {each.code for each in kept()} == {"a"}
    assert max(len(each.body) for each in found) <= 4096


def test_the_page_shows_what_the_viewer_may_see(send: Send, token: Token) -> None:
    other, _ = Token.objects.issue("blog")
    Token.objects.filter(pk=other.pk).update(audience=["Blog"])
    send({"event": {"name": "<b>nobody</b>"}})
    samples.note(other.pk, BadRequest("x_other", "Not for you."), {}, b"of the blog")
    samples.note(0, BadRequest("token_invalid", "Who is it?"), {}, b"")
    samples.write()
    client = Client()
    client.force_login(viewer())
    page = client.get("/console/refused/").content.decode()
    assert "&lt;b&gt;nobody&lt;/b&gt;" in page
    assert "of the blog" not in page
    assert "Who is it?" not in page
    assert "none like this" in client.get("/console/refused/?code=body_unreadable").content.decode()
    for query in (f"token={other.pk}", "token=0"):
        assert "<pre>" not in client.get(f"/console/refused/?{query}").content.decode()
    Token.objects.filter(pk=other.pk).update(audience=[])
    assert "of the blog" in client.get(f"/console/refused/?token={other.pk}").content.decode()
    assert "Who is it?" in client.get("/console/refused/?token=0").content.decode()
    assert client.get("/console/refused/?token=nonsense").status_code == 200
