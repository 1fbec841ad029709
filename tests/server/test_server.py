"""Bodies as a live front receives them, from sockets that misbehave."""

import gzip
import time
from contextlib import ExitStack, suppress

import pytest

from tests.server.server import Server, json_of, read_to_end, status_of
from tracking.server.app import limit_of
from tracking.server.front.body import SMALL, Memory, Share
from tracking.server.front.refusal import Overloaded

CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024


def test_an_announced_body_arrives_whole(server: Server) -> None:
    assert server.request("POST", "/track", b"x" * 65_536).json == {
        "length": 65_536,
        "read": 65_536,
    }


def test_a_chunked_body_arrives_whole(server: Server) -> None:
    answer = server.request("POST", "/track", [b"x" * 1000] * 60)
    assert answer.json == {"length": 60_000, "read": 60_000}


def test_an_empty_chunked_body_arrives_empty(server: Server) -> None:
    assert server.request("POST", "/track", []).json == {"length": 0, "read": 0}


def test_the_application_is_told_a_length_but_no_transfer_encoding(server: Server) -> None:
    meta = server.request("POST", "/meta", [b"hello"]).json
    assert meta["body"] == "hello"
    assert meta["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in meta


def test_an_oversize_body_is_not_read_to_the_end(server: Server) -> None:
    answer = server.request("POST", "/track", b"x" * MIB)
    assert answer.status == 400
    assert answer.json == {"length": MIB, "read": 0}


def test_an_oversize_chunked_body_is_cut_behind_the_limit(server: Server) -> None:
    answer = server.request("POST", "/track/", [b"x" * 10_000] * 100)
    assert answer.status == 400
    assert answer.json["read"] == 65_537


def test_an_endless_body_is_answered_and_cut_off(server: Server) -> None:
    sent = 0
    started = time.monotonic()
    with server.post("/track", CHUNKED) as client, suppress(OSError):
        while time.monotonic() < started + 8:
            client.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent += 65_536
    assert sent < 32 * MIB
    assert time.monotonic() < started + 5


def test_elsewhere_an_oversize_body_is_refused_by_the_front(server: Server) -> None:
    with server.post("/meta", f"Content-Length: {10 * MIB + 1}") as client:
        received = client.recv(65_536)
    assert status_of(received) == 413
    assert json_of(received)["code"] == "body_too_large"


def test_elsewhere_an_oversize_chunked_body_is_refused_by_the_front(server: Server) -> None:
    answer = server.request("POST", "/meta", [b"x" * MIB] * 11)
    assert answer.status == 413
    assert answer.json["code"] == "body_too_large"


def test_a_stalled_body_times_out_and_its_connection_is_closed(server: Server) -> None:
    with server.post("/track", "Content-Length: 5", "Origin: https://shop.test") as client:
        client.sendall(b"ab")
        started = time.monotonic()
        received = read_to_end(client)
    assert 0.5 < time.monotonic() - started < 5
    assert status_of(received) == 408
    assert json_of(received)["code"] == "body_timeout"
    assert b"access-control-allow-origin: https://shop.test\r\n" in received
    assert b"vary: Origin\r\n" in received


def test_a_body_that_trickles_in_chunks_times_out_as_a_whole(server: Server) -> None:
    with server.post("/track", CHUNKED) as client:
        received = b""
        client.settimeout(0.2)
        for _ in range(20):
            client.sendall(b"1\r\nx\r\n")
            try:
                received = client.recv(65_536)
                break
            except TimeoutError:
                continue
        client.settimeout(5)
        assert status_of(received) == 408
        assert client.recv(1) == b""


def test_only_pages_of_other_sites_that_may_send_hits_read_refusals() -> None:
    for path in ("/track", "/collect", "/v1/batch", "/v1/pixel/track", "/f/abc", "/t.js"):
        assert limit_of(path).browsers, path
    for path in ("/metrics", "/readyz", "/healthz/", "/console/", "/api/schema"):
        assert not limit_of(path).browsers, path


def test_slow_headers_time_out(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"POST /track HTTP/1.1\r\nHost: te")
        started = time.monotonic()
        read_to_end(client)
        assert time.monotonic() - started < 5


def test_stalled_bodies_do_not_slow_other_clients(server: Server) -> None:
    with ExitStack() as stalled:
        for number in range(200):
            framing = "Content-Length: 9" if number % 2 else CHUNKED
            stalled.enter_context(server.post("/track", framing))
        started = time.monotonic()
        for _ in range(20):
            assert server.request("POST", "/track", b"{}").status == 200
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("framing", ["Content-Length: 9", CHUNKED])
def test_a_request_whose_client_leaves_never_reaches_the_application(
    server: Server, framing: str
) -> None:
    before = server.request("GET", "/stats").json["requests"]
    for _ in range(10):
        with server.post("/track", framing) as client:
            client.sendall(b"3\r\nabc\r\n")
    time.sleep(0.3)
    assert server.request("GET", "/stats").json["requests"] == before + 1
    assert "Traceback" not in server.log


def test_a_body_with_broken_framing_is_refused(server: Server) -> None:
    with server.post("/track", CHUNKED) as client:
        client.sendall(b"3\r\nabc\r\nzz\r\n")
        received = read_to_end(client)
    assert status_of(received) == 400
    assert json_of(received)["code"] == "body_incomplete"


HIT = b'{"event": {"name": "Ordered"}}'
TRAILER = b"X-Checksum: 5\r\nX-Signature: abc\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@pytest.mark.parametrize("announced", [(), ("Trailer: X-Checksum",)])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_chunked_body_with_a_trailer_is_whole(
    server: Server, announced: tuple[str, ...], zipped: bool
) -> None:
    content = gzip.compress(HIT) + gzip.compress(b" ") if zipped else HIT
    coding = ("Content-Encoding: gzip",) if zipped else ()
    with server.post("/track", CHUNKED, "Connection: close", *announced, *coding) as client:
        client.sendall(chunk(content[:9]) + chunk(content[9:]) + b"0\r\n" + TRAILER + b"\r\n")
        received = read_to_end(client)
    assert json_of(received) == {"length": len(content), "read": len(content)}


@pytest.mark.parametrize(
    ("path", "type", "content"),
    [
        ("/track", "application/json", HIT[:-1]),
        ("/track", "application/json", b""),
        ("/track", "application/x-ndjson; charset=utf-8", HIT),
        ("/meta", "application/json", HIT),
    ],
)
def test_what_may_be_a_part_of_a_body_is_refused(
    server: Server, path: str, type: str, content: bytes
) -> None:
    """A trailer looks as a connection does that breaks; only JSON shows that it is whole."""
    with server.post(path, CHUNKED, f"Content-Type: {type}") as client:
        client.sendall((chunk(content) if content else b"") + b"0\r\n" + TRAILER + b"\r\n")
        received = read_to_end(client)
    assert (status_of(received), json_of(received)["code"]) == (400, "body_incomplete")


@pytest.mark.parametrize("agent", ["小米 Redmi".encode(), b"caf\xe9", "Bücher".encode()])
def test_a_user_agent_that_the_server_hides_is_a_replacement(server: Server, agent: bytes) -> None:
    with server.connect() as client:
        head = b"GET /meta HTTP/1.1\r\nHost: test\r\nConnection: close\r\nUser-Agent: "
        client.sendall(head + agent + b"\r\n\r\n")
        meta = json_of(read_to_end(client))
    assert str(meta["HTTP_USER_AGENT"]).encode("latin-1").decode() == "\ufffd"


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 3", "Content-Length: 4"),
        ("Content-Length: -1",),
        ("Content-Length: +3",),
        ("Content-Length: 3, 3",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: gzip",),
    ],
)
def test_ambiguous_framing_is_refused(server: Server, lines: tuple[str, ...]) -> None:
    with server.post("/track", *lines) as client:
        client.sendall(b"abc")
        assert status_of(read_to_end(client)) == 400


def test_chunks_win_over_a_length_and_end_the_connection(server: Server) -> None:
    with server.post("/track", "Content-Length: 50", CHUNKED) as client:
        client.sendall(b"3\r\nabc\r\n0\r\n\r\nGET /fail HTTP/1.1\r\nHost: test\r\n\r\n")
        received = read_to_end(client)
    assert received.count(b"HTTP/1.1 ") == 1
    assert json_of(received) == {"length": 3, "read": 3}


def test_who_announces_large_bodies_and_sends_nothing_keeps_nobody_out(server: Server) -> None:
    """A hundred times 4 MB is more than all large bodies together may take."""
    connections = [server.post("/meta", "Content-Length: 4000000") for _ in range(100)]
    try:
        assert server.request("POST", "/meta", b"x" * 1_000_000).status == 200
    finally:
        for connection in connections:
            connection.close()


def test_large_bodies_take_so_much_together_and_no_more() -> None:
    memory = Memory(1_000_000)
    first, second = Share(memory), Share(memory)
    first.grow(SMALL)
    first.grow(600_000)
    first.grow(700_000)
    second.grow(SMALL)
    with pytest.raises(Overloaded):
        second.grow(400_000)
    first.close()
    second.grow(400_000)
