"""Bodies and user agents as runtimes and proxies make them."""

import gzip
import json
import time

import pytest

from tests.ingest.http.test_track import LIMIT, sized
from tests.support.hits import Send, hit
from tests.support.sample import SEED
from tracking.models import Hit, Token


@pytest.mark.parametrize("parts", [2, 500])
def test_a_gzip_body_may_have_several_members(send: Send, parts: int) -> None:
    text = json.dumps(SEED)
    size = -(-len(text) // parts)
    members = [text[size * part : size * (part + 1)].encode() for part in range(parts)]
    body = b"".join(map(gzip.compress, members)) + bytes(16)
    assert send(body, content_encoding="gzip").status_code == 204
    assert Hit.objects.get().payload == SEED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(sized(1000)) + gzip.compress(b" " * LIMIT), "body_too_large"),
        (gzip.compress(sized(1000)) + gzip.compress(b"0" * 50_000_000), "body_too_large"),
        (gzip.compress(sized(1000)) + gzip.compress(b"  ")[:-3], "encoding_invalid"),
        (gzip.compress(sized(1000)) + b"not gzip", "encoding_invalid"),
        (gzip.compress(b"") * 3000, "body_empty"),
    ],
    ids=["unpacked too long", "a bomb", "cut off", "not gzip", "many of nothing"],
)
def test_a_bad_member_refuses_the_body(send: Send, body: bytes, code: str) -> None:
    began = time.process_time()
    answer = send(body, content_encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/track", "application/json"),
        ("/track/batch", "application/json"),
        ("/track/batch", "application/x-ndjson"),
        ("/collect", "text/plain"),
        ("/v1/track", "application/json"),
        ("/v1/batch", "application/json"),
    ],
)
def test_a_byte_order_mark_is_ignored(
    send: Send, token: Token, path: str, type: str, zipped: bool
) -> None:
    sdk = {"type": "track", "event": "E", "userId": "u1"}
    bodies = {
        "/track": hit(),
        "/track/batch": {"hits": [hit()]} if type == "application/json" else hit(),
        "/collect": hit(projectId=str(token.project_id)),
        "/v1/track": sdk,
        "/v1/batch": {"batch": [sdk]},
    }
    body = b"\xef\xbb\xbf" + json.dumps(bodies[path]).encode()
    coding = {"content_encoding": "gzip"} if zipped else {}
    body = gzip.compress(body) if zipped else body
    assert send(body, path=path, content_type=type, **coding).status_code in {200, 204}
    assert Hit.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("小米 Redmi".encode(), "小米 Redmi"),
        ("Bücher".encode(), "Bücher"),
        (b"caf\xe9", "caf\ufffd"),
        ("小".encode() * 600, "小" * 512),
        (b"curl/8", "curl/8"),
    ],
)
def test_the_bytes_of_a_user_agent_are_read_as_utf_8(send: Send, sent: bytes, stored: str) -> None:
    assert send(hit(), user_agent=sent.decode("latin-1")).status_code == 204
    assert Hit.objects.get().user_agent == stored
