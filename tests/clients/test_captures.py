"""What the vendor's JavaScript SDK sent from a real browser, byte for byte, to a live server."""

import json
import re
import socket
import time
from pathlib import Path

import pytest

from tests.server.server import read_to_end, status_of
from tests.support.tap import HOST
from tracking.models import Hit, Token

CAPTURES = Path(__file__).with_name("ddm")
NAMES = sorted(path.name for path in CAPTURES.glob("[fm]*.raw"))
PROJECT = b'"projectId":"demo-project"'


def rewrite(capture: bytes, token: Token) -> bytes:
    """Another projectId, and what tells the server how long it is and when to close."""
    head, _, body = capture.replace(b"\r\n", b"\n").partition(b"\n\n")
    assert body.count(PROJECT) == 1
    body = body.replace(PROJECT, b'"projectId":"%s"' % str(token.project_id).encode())
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
    head = head.replace(b"Connection: keep-alive", b"Connection: close")
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def replay(port: int, request: bytes) -> tuple[int, dict[str, str]]:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(request)
        answer = read_to_end(connection)
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return status_of(answer), headers


def test_the_captures_are_all_here() -> None:
    assert len(NAMES) == 17


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_is_stored_equal(server: int, token: Token, name: str) -> None:
    request = rewrite((CAPTURES / name).read_bytes(), token)
    sent = json.loads(request.partition(b"\r\n\r\n")[2])
    token.origins = ["http://127.0.0.1:8001"]
    token.save()
    status, headers = replay(server, request)
    assert status == 204
    assert headers["access-control-allow-origin"] == "http://127.0.0.1:8001"
    assert headers["access-control-allow-credentials"] == "true"
    assert "origin" in headers["vary"].lower()
    assert not headers.keys() & {"set-cookie", "www-authenticate", "location"}
    stored = Hit.objects.get()
    assert json.dumps(stored.payload, sort_keys=True) == json.dumps(sent, sort_keys=True)
    assert (stored.token, stored.hit_id, stored.name) == (
        token,
        sent["hitId"],
        sent["event"]["name"],
    )
    ids = (sent.get("userId", ""), sent.get("anonymousId", ""), sent.get("emailHash", ""))
    assert (stored.user_id, stored.anonymous_id, stored.email_hash) == ids
    assert stored.ip == HOST
    assert stored.user_agent.startswith("Mozilla/5.0")


def test_a_capture_from_another_site_is_refused(server: int, token: Token) -> None:
    token.origins = ["https://shop.example"]
    token.save()
    request = rewrite((CAPTURES / NAMES[0]).read_bytes(), token)
    status, headers = replay(server, request)
    assert status == 401
    assert headers["access-control-allow-origin"] == "http://127.0.0.1:8001"
    assert headers["www-authenticate"] == "ApiToken"
    time.sleep(0.1)
    assert not Hit.objects.exists()


def test_the_captured_preflight_is_answered(server: int, transactional_db: None) -> None:
    capture = (CAPTURES / "browser-track-preflight.raw").read_bytes().replace(b"\r\n", b"\n")
    head = capture.strip().replace(b"Connection: keep-alive", b"Connection: close")
    status, headers = replay(server, head.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert status == 204
    assert headers["access-control-allow-origin"] == "http://127.0.0.1:8001"
    assert headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in headers["access-control-allow-methods"]
