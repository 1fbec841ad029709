"""The id of a request: on its records, and on answers that are no plain success."""

import logging
from typing import Any

import pytest
from django.test import RequestFactory

from tests.support.hits import basic
from tests.support.log import logged
from tests.support.posting import Answer, ask
from tracking.current_request import MADE
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken
from tracking.server.logs import LineFormatter
from tracking.server.wsgi import application

HIT = b'{"userId": "u1", "event": {"name": "Registered"}}'


def post(secret: str, body: bytes = HIT, **environ: str) -> Answer:
    head = {"HTTP_AUTHORIZATION": basic(secret), "CONTENT_TYPE": "application/json"}
    return ask("POST", "/track", {**head, **environ}, body)


def test_a_refusal_carries_the_proxys_id(secret: ApiToken) -> None:
    answer = post(secret, b"{", HTTP_X_REQUEST_ID="edge-1.a_B")
    assert answer.status_code == 400
    assert answer["X-Request-ID"] == "edge-1.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ü", "a\n", "a,b"])
def test_an_unusable_id_is_replaced(secret: ApiToken, given: str) -> None:
    answer = post(secret, b"{", HTTP_X_REQUEST_ID=given)
    assert len(answer["X-Request-ID"]) == 32
    assert answer["X-Request-ID"].isalnum()


def test_a_stored_hit_costs_no_id(secret: ApiToken) -> None:
    request = RequestFactory(SERVER_NAME="localhost").generic(
        "POST", "/track", HIT, "application/json", headers={"authorization": basic(secret)}
    )
    head: list[Any] = []
    assert b"".join(application(request.environ, lambda *said: head.extend(said))) == b""  # type: ignore[arg-type]
    assert head[0] == "204 No Content"
    assert "X-Request-ID" not in dict(head[1])
    assert MADE not in request.environ


@pytest.mark.django_db
def test_a_page_carries_the_id() -> None:
    answer = ask("GET", "/admin/login/", {"HTTP_X_REQUEST_ID": "page-1"})
    assert (answer.status_code, answer["X-Request-ID"]) == (200, "page-1")


def test_records_of_a_request_carry_its_id_and_the_token(
    secret: ApiToken, token: Token, settings: Any
) -> None:
    Token.objects.update(rate_limit=1_000)
    # Nothing listens there.
    cache = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": cache, "LOCATION": "redis://127.0.0.1:1/0"}}
    with logged() as log:
        assert post(secret, HTTP_X_REQUEST_ID="edge-2").status_code == 204
        assert post(secret).status_code == 204
    first, second = log.records("is not applied")
    assert (first["request_id"], first["token"]) == ("edge-2", token.pk)
    assert len(second["request_id"]) == 32


def test_a_line_shows_the_id_where_there_is_one() -> None:
    record = logging.LogRecord("a.b", logging.INFO, "", 0, "done: %s", ("x",), None)
    assert LineFormatter().format(record) == "INFO a.b: done: x"
    record.request_id = "edge-3"
    assert LineFormatter().format(record) == "INFO a.b [edge-3]: done: x"
