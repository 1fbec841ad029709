"""Browsers: a public project id, an allow-list of origins, CORS on every answer."""

import gc
import tracemalloc
from typing import Any

import pytest

from tests.support.hits import hit
from tests.support.posting import ask, post
from tracking.ingest.auth.authentication import tokens
from tracking.models import Hit, Token
from tracking.models.tokens.api_token import ApiToken

PAGE = "https://shop.example"


def collect(token: Token, *, origin: str = PAGE, **changes: Any) -> Any:
    return post("/collect", hit(projectId=str(token.project_id), **changes), origin=origin)


def assert_readable(answer: Any, origin: str = PAGE) -> None:
    """The page may read the answer, and no other page may be served it from a cache."""
    assert answer["Access-Control-Allow-Origin"] == origin
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer["Vary"]
    assert answer.headers.get("WWW-Authenticate", "ApiToken") == "ApiToken"
    assert "Set-Cookie" not in answer.headers


def test_a_hit_is_stored_by_its_project_id(token: Token) -> None:
    answer = collect(token, hitId="h1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_readable(answer)
    stored = Hit.objects.get()
    assert (stored.token, stored.hit_id, stored.ip) == (token, "h1", "203.0.113.7")
    assert stored.payload["projectId"] == str(token.project_id)


def test_the_user_may_stand_at_the_top(token: Token) -> None:
    user = {"userId": "u1", "anonymousId": "a1", "emailHash": "e1"}
    body = {"projectId": str(token.project_id), "event": {"name": "Viewed Page"}, **user}
    assert post("/collect/", body).status_code == 204
    stored = Hit.objects.get()
    assert (stored.user_id, stored.anonymous_id, stored.email_hash) == ("u1", "a1", "e1")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not JSON", 400, "json_invalid"),
        ({"event": {}}, 401, "token_missing"),
        ({"projectId": "demo-project", "event": {}}, 401, "token_malformed"),
        ({"projectId": "4c59d330-35c7-11e9-8f27-8d1d7d4690e7"}, 401, "token_invalid"),
        (b'{"event": {}, "pad": "' + b"x" * 65_536 + b'"}', 400, "body_too_large"),
    ],
)
def test_errors_can_be_read_by_the_page(token: Token, body: Any, status: int, code: str) -> None:
    answer = post("/collect", body, origin=PAGE)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert_readable(answer)
    assert not Hit.objects.exists()


@pytest.mark.parametrize("changes", [{"enabled": False}, {"deleted": True}], ids=["off", "deleted"])
def test_a_token_that_is_not_usable_takes_nothing(token: Token, changes: dict[str, bool]) -> None:
    if changes.get("deleted"):
        token.mark_deleted()
    else:
        Token.objects.filter(pk=token.pk).update(**changes)
    assert collect(token).json()["code"] == "token_invalid"
    assert not Hit.objects.exists()


def test_the_api_token_is_no_project_id(token: Token, secret: ApiToken) -> None:
    answer = post("/collect", hit(projectId=secret))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_malformed")


def test_a_query_names_no_token(token: Token, secret: ApiToken) -> None:
    for path in (f"/collect?token={secret}", f"/collect?projectId={token.project_id}"):
        assert post(path, hit()).status_code == 401


@pytest.mark.parametrize(
    ("origins", "origin", "taken"),
    [
        ([], "https://anybody.example", True),
        (["https://shop.example"], "https://shop.example", True),
        (["https://shop.example"], "HTTPS://SHOP.example", True),
        (["https://shop.example"], "http://shop.example", False),
        (["https://shop.example"], "https://shop.example:8443", False),
        (["https://shop.example"], "https://shop.example.evil.example", False),
        (["https://shop.example"], "https://www.shop.example", False),
        (["https://shop.example"], "null", False),
        (["https://*.shop.example"], "https://www.shop.example", True),
        (["https://*.shop.example"], "https://a.b.shop.example", True),
        (["https://*.shop.example"], "https://shop.example", False),
        (["https://*.shop.example"], "https://evilshop.example", False),
        (["https://a.example", "http://127.0.0.1:8001"], "http://127.0.0.1:8001", True),
    ],
)
def test_only_the_origins_on_the_list_may_send(
    token: Token, origins: list[str], origin: str, taken: bool
) -> None:
    token.origins = origins
    token.save()
    answer = collect(token, origin=origin)
    assert answer.status_code == (204 if taken else 401)
    assert_readable(answer, origin)
    assert Hit.objects.count() == taken
    if not taken:
        assert answer.json()["code"] == "origin_refused"


def test_the_list_keeps_no_program_out(token: Token) -> None:
    token.origins = ["https://shop.example"]
    token.save()
    assert post("/collect", hit(projectId=str(token.project_id))).status_code == 204


def test_a_preflight_is_answered_without_a_token(transactional_db: None) -> None:
    asked = {"HTTP_ORIGIN": PAGE, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "content-type"}
    answer = ask("OPTIONS", "/collect", asked)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Headers"] == "content-type"
    assert_readable(answer)


def test_the_first_party_path_names_the_token(token: Token) -> None:
    for path in (f"/f/{token.path}", f"/f/{token.path}/"):
        assert post(path, hit(), origin=PAGE).status_code == 204
    assert Hit.objects.filter(token=token).count() == 2


def test_a_strangers_path_is_refused_before_the_body_is_read(transactional_db: None) -> None:
    answer = post("/f/nobodys", b"not JSON")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_of_strangers_paths_no_more_is_remembered_than_a_path_may_be(token: Token) -> None:
    assert post(f"/f/{token.path}{'x' * 1000}", hit()).status_code == 401
    tracemalloc.start()
    try:
        for number in range(100):
            unknown = {"PATH_INFO": f"/f/{number:03}{'x' * 50_000}"}
            assert ask("POST", "/", unknown).status_code == 401
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000


def test_a_digest_that_begins_like_another_key_is_a_digest(token: Token) -> None:
    for beginning in (b"path:", b"project:"):
        assert tokens.get(beginning.ljust(32, b"\xff")) is None


def test_a_rate_limit_counts_here_too(token: Token) -> None:
    token.rate_limit = 1
    token.save()
    codes = [collect(token).status_code for _ in range(4)]
    assert 429 in codes
    assert Hit.objects.count() == codes.count(204)
