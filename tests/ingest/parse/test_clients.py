"""Bodies captured from real clients, in the contract's shape, come back as they were sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.hits import Send, basic
from tracking.models import Hit
from tracking.models.tokens.api_token import ApiToken

CAPTURES = Path(__file__).resolve().parents[2] / "clients" / "ddm"
BODIES = sorted(path.name for path in CAPTURES.glob("*.raw") if "preflight" not in path.name)


def read(name: str) -> tuple[str, dict[str, str], bytes]:
    """The request line, the headers in lower case and the body of a capture."""
    head, _, body = (CAPTURES / name).read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    line, *headers = head.decode().split("\n")
    return line, {k.lower(): v for k, _, v in (each.partition(": ") for each in headers)}, body


def rewrite(hit: dict[str, Any]) -> dict[str, Any]:
    """Identity goes from the top level into `event.user`."""
    user = {name: hit.pop(name) for name in ("userId", "anonymousId", "emailHash") if name in hit}
    return {**hit, "event": {**hit["event"], "user": {**hit["event"].get("user", {}), **user}}}


def test_the_captures_are_all_here() -> None:
    assert len(BODIES) == 18


@pytest.mark.parametrize("name", BODIES)
def test_a_captured_body_comes_back_equal(send: Send, name: str) -> None:
    hit = rewrite(json.loads(read(name)[2]))
    assert send(hit).status_code == 204
    stored = Hit.objects.get()
    assert stored.payload == hit
    assert json.dumps(stored.payload, sort_keys=True) == json.dumps(hit, sort_keys=True)
    user = hit["event"]["user"]
    assert stored.user_id == user.get("userId", "")
    assert stored.anonymous_id == user.get("anonymousId", "")
    assert stored.email_hash == user.get("emailHash", "")
    assert (stored.name, stored.hit_id) == (hit["event"]["name"], hit["hitId"])


def test_the_browsers_preflight_is_answered() -> None:
    _, headers, _ = read("browser-track-preflight.raw")
    answer = Client(SERVER_NAME="localhost").options("/track", headers=headers)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == headers["origin"]
    asked = headers["access-control-request-headers"]
    assert answer["Access-Control-Allow-Headers"] == asked


def test_the_browsers_post_is_taken(secret: ApiToken) -> None:
    _, headers, body = read("browser-track-post.raw")
    headers["authorization"] = basic(secret)
    del headers["content-length"], headers["host"]
    answer = Client(SERVER_NAME="localhost").generic(
        "POST", "/track", body, content_type=headers.pop("content-type"), headers=headers
    )
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, headers["origin"])
    stored = Hit.objects.get()
    assert stored.user_agent == headers["user-agent"]
    assert stored.payload == json.loads(body)
