"""The application behind a live front: its threads, what it is told, how it answers."""

import re
import socket
import threading
import time

import pytest

from tests.server.server import Server, json_of, read_to_end


def test_past_the_waiting_limit_requests_are_refused_at_once(server: Server) -> None:
    answers: list[tuple[int, float, dict[str, str]]] = []

    def ask() -> None:
        started = time.monotonic()
        headers = {"Origin": "https://shop.test", "X-Request-ID": "edge-1"}
        answer = server.request("POST", "/slow?seconds=1", b"{}", headers)
        answers.append((answer.status, time.monotonic() - started, answer.headers))

    askers = [threading.Thread(target=ask) for _ in range(30)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    refused = [answer for answer in answers if answer[0] == 503]
    assert len(refused) == 30 - 4 - 8
    assert all(seconds < 1 for _, seconds, _ in refused)
    assert all(headers["retry-after"] == "5" for _, _, headers in refused)
    assert all(headers["x-request-id"] == "edge-1" for _, _, headers in refused)


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
    assert server.request("GET", "/stats").json["threads"] == 4 + 2


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
