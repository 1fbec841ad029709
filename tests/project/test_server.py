"""The front as its clients see it: a live granian, and sockets that misbehave."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.project.server import Server, read_to_end

CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server") / "log") as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "log") as running:
        yield running


def status_of(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


def json_of(received: bytes) -> dict[str, object]:
    content: dict[str, object] = json.loads(received.partition(b"\r\n\r\n")[2])
    return content


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
    assert 0.5 < time.monotonic() - started < 3
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
        assert time.monotonic() - started < 0.9


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


def test_past_the_waiting_limit_requests_are_refused_at_once(server: Server) -> None:
    answers: list[tuple[int, float, dict[str, str]]] = []

    def ask() -> None:
        started = time.monotonic()
        headers = {"Origin": "https://shop.test"}
        answer = server.request("POST", "/slow?seconds=0.4", b"{}", headers)
        answers.append((answer.status, time.monotonic() - started, answer.headers))

    askers = [threading.Thread(target=ask) for _ in range(30)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    refused = [answer for answer in answers if answer[0] == 503]
    assert len(refused) == 30 - 4 - 8
    assert all(seconds < 0.4 for _, seconds, _ in refused)
    assert all(headers["retry-after"] == "5" for _, _, headers in refused)


def test_the_environ_tells_the_request(server: Server) -> None:
    headers = {"Content-Type": "text/plain", "X-User": "a", "X_User": "spoofed", "Host": "a.test"}
    meta = server.request("POST", "/m%C3%A9ta/%C3%BC?q=%20&r", b"hi", headers).json
    assert meta["PATH_INFO"] == "/méta/ü"
    assert meta["REQUEST_METHOD"] == "POST"
    assert meta["QUERY_STRING"] == "q=%20&r"
    assert meta["CONTENT_TYPE"] == "text/plain"
    assert meta["CONTENT_LENGTH"] == "2"
    assert meta["HTTP_X_USER"] == "a"
    assert meta["HTTP_HOST"] == "a.test"
    assert meta["REMOTE_ADDR"] == "127.0.0.1"
    assert meta["SERVER_PORT"] == str(server.port)
    assert meta["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert meta["scheme"] == "http"


def test_repeated_headers_are_joined(server: Server) -> None:
    lines = ("X-A: 1", "X-A: 2", "Cookie: a=1", "Cookie: b=2", "Connection: close")
    with server.post("/meta", *lines, "Content-Length: 0") as client:
        meta = json_of(read_to_end(client))
    assert meta["HTTP_X_A"] == "1,2"
    assert meta["HTTP_COOKIE"] == "a=1; b=2"


def test_a_stream_arrives_while_it_is_made(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: test\r\n\r\n")
        received = b""
        while b"chunk 1" not in received:
            received += client.recv(65_536)
    before = server.request("GET", "/stats").json
    time.sleep(0.5)
    after = server.request("GET", "/stats").json
    assert after["chunks"] < before["chunks"] + 4, "nothing more is made for who has left"
    assert after["closed"] == 1


def test_a_finished_stream_is_whole_and_closed(server: Server) -> None:
    closed = server.request("GET", "/stats").json["closed"]
    assert server.request("GET", "/stream?last=2").content == b"chunk 0\nchunk 1\nchunk 2\n"
    assert server.request("GET", "/stats").json["closed"] == closed + 1


def test_a_head_request_gets_headers_only(server: Server) -> None:
    answer = server.request("HEAD", "/meta")
    assert (answer.status, answer.content) == (200, b"")


def test_a_failing_view_answers_500_and_its_thread_works_on(server: Server) -> None:
    for _ in range(8):
        assert server.request("GET", "/fail").status == 500
    assert server.request("GET", "/stats").json["threads"] == 4 + 1


def test_one_connection_serves_request_after_request(server: Server) -> None:
    with server.connect() as client:
        for number in range(50):
            body = b"x" * number
            head = f"POST /track HTTP/1.1\r\nHost: test\r\nContent-Length: {number}\r\n\r\n"
            client.sendall(head.encode() + body)
            assert json_of(client.recv(65_536)) == {"length": number, "read": number}


def test_a_stop_lets_running_requests_finish_and_then_closes(own_server: Server) -> None:
    answers: list[bytes] = []

    def ask() -> None:
        with own_server.connect() as client:
            client.sendall(b"GET /slow?seconds=0.8 HTTP/1.1\r\nHost: test\r\n\r\n")
            answers.append(client.recv(65_536))

    asker = threading.Thread(target=ask)
    asker.start()
    time.sleep(0.3)
    own_server.stop()
    asker.join()
    assert b"slept" in answers[0]
    assert re.search(r"closed after \d+ requests", own_server.log)
    assert "Traceback" not in own_server.log
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", own_server.port)),
    ):
        pass
