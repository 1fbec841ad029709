"""What holds for every ingest route, whatever it is asked: no redirect, no cookie, no prompt."""

import base64
import json

import pytest

from tests.support.hits import basic
from tests.support.posting import Answer, ask
from tracking.ingest.routes import ROUTES
from tracking.models import Token
from tracking.models.tokens.api_token import ApiToken

PATHS = sorted(
    f"/{route.path}{end}".replace("<slug:path>", "{path}").replace("<str:key>", "{key}")
    for route in ROUTES
    for end in ("", "/")
)
BODIES = [b"", b"not JSON", b"[]", b"{}", b'{"batch": [{}]}', b'{"hits": [{}]}', b"\xff" * 9]
COOKIE = {"HTTP_COOKIE": "sessionid=1; csrftoken=2", "HTTP_ORIGIN": "https://shop.example"}


PROBES = ("/healthz", "/readyz", "/metrics")


def assert_harmless(path: str, answer: Answer) -> None:
    assert not 300 <= answer.status_code < 400
    assert answer.status_code < 500
    assert "Set-Cookie" not in answer.headers
    assert "basic" not in answer.headers.get("WWW-Authenticate", "").lower()
    if path.rstrip("/") in PROBES:
        assert "Access-Control-Allow-Origin" not in answer.headers
        return
    assert answer["Access-Control-Allow-Origin"] == "https://shop.example"
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_redirects_sets_a_cookie_or_makes_a_browser_ask(
    token: Token, secret: ApiToken, path: str
) -> None:
    path = path.format(path=token.path, key=token.project_id)
    keys = ("", basic(secret), basic(str(token.project_id)), basic("nobody"), "Bearer x")
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        for key in keys:
            environ = {**COOKIE, "HTTP_AUTHORIZATION": key, "CONTENT_TYPE": "application/json"}
            assert_harmless(path, ask(method, path, environ, BODIES[len(key) % len(BODIES)]))


@pytest.mark.parametrize("path", [path for path in PATHS if "pixel" not in path])
def test_whatever_is_refused_is_refused_in_our_words(token: Token, path: str) -> None:
    path = path.format(path="nobodys", key="nobody")
    for body in BODIES:
        answer = ask("POST", path, {**COOKIE, "CONTENT_TYPE": "text/plain"}, body)
        if answer.status_code != 200:
            assert set(json.loads(answer.content)) == {"code", "message"}, answer


@pytest.mark.parametrize("path", [path for path in PATHS if "pixel" in path])
def test_a_pixel_is_a_gif_whatever_is_asked(path: str, transactional_db: None) -> None:
    for body in BODIES:
        query = f"?data={base64.b64encode(body).decode()}"
        answer = ask("GET", path + query, COOKIE)
        assert (answer.status_code in {400, 401}, answer.content[:6]) == (True, b"GIF89a")
