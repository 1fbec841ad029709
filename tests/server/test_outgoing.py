"""Clients that do not read their answers, or do not wait for them."""

import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.server.server import Server, read_to_end, status_of
from tests.support.waiting import wait_until

MIB = 1024 * 1024


@pytest.fixture
def with_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with a file of 4 MB at /file."""
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (4 * MIB // 256))
    monkeypatch.setenv("SITE_FILE", str(path))
    with Server(tmp_path / "log") as running:
        yield running


def rss(server: Server) -> int:
    return int(server.request("GET", "/memory").json["rss"])


@contextmanager
def lazy_clients(server: Server, path: str, count: int) -> Iterator[list[socket.socket]]:
    """Clients that ask, and read nothing."""
    with ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.settimeout(10)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
            clients.append(stack.enter_context(client))
        time.sleep(1)
        yield clients


def test_a_file_is_in_memory_only_as_far_as_it_is_read(with_file: Server) -> None:
    with_file.request("GET", "/file")
    before = rss(with_file)
    with lazy_clients(with_file, "/file", 60):
        assert rss(with_file) - before < 60 * MIB, "60 times the file are 240 MB"


def test_a_file_arrives_whole(with_file: Server) -> None:
    answer = with_file.request("GET", "/file")
    assert (len(answer.content), answer.content[:256]) == (4 * MIB, bytes(range(256)))
    assert answer.headers["content-length"] == str(4 * MIB)


@pytest.mark.parametrize("path", ["/file", "/large?size=8000000", "/endless"])
def test_who_does_not_read_in_time_is_cut_off(with_file: Server, path: str) -> None:
    with lazy_clients(with_file, path, 1) as (client,):
        began = time.monotonic()
        time.sleep(3)
        with suppress(ConnectionError):
            while client.recv(65_536):
                pass
    assert time.monotonic() - began < 8
    assert "Traceback" not in with_file.log


def test_who_reads_a_little_now_and_then_is_cut_off(with_file: Server) -> None:
    with lazy_clients(with_file, "/file", 1) as (client,):
        began = time.monotonic()
        with suppress(ConnectionError):
            while client.recv(1000) and time.monotonic() < began + 10:
                time.sleep(0.1)
        assert 1 < time.monotonic() - began < 10


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def http2_requests(path: str, count: int) -> bytes:
    """A connection that allows the server as much as it likes, and requests."""
    window = 2**31 - 1
    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack("!HI", 4, window))
    begin += frame(8, 0, 0, struct.pack("!I", window - 65_535))
    # GET, http, :path and :authority of the static table (RFC 7541, appendix A).
    head = b"\x82\x86\x44" + bytes([len(path)]) + path.encode() + b"\x41\x01t"
    return begin + b"".join(frame(1, 5, 2 * number + 1, head) for number in range(count))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends such connections")
def test_who_asks_again_and_again_and_reads_nothing_is_cut_off(server: Server) -> None:
    """No answer is large, but the client's place would be taken for ever."""
    path = "/large?size=60000"
    http1 = f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(2)]
        clients[0].sendall(http1 * 1000)
        clients[1].sendall(http2_requests(path, 150))
        wait_until(lambda: is_cut_off(clients[0], http1), within=12)
        wait_until(lambda: is_cut_off(clients[1], frame(6, 0, 0, bytes(8))), within=12)
        assert is_cut_off(clients[0], http1)


def is_cut_off(client: socket.socket, more: bytes) -> bool:
    """Whether the server has ended the connection, which the client sees when it sends more."""
    with suppress(TimeoutError):
        try:
            client.settimeout(0.1)
            client.sendall(more)
        except ConnectionError:
            return True
    time.sleep(0.1)
    return False


def test_who_reads_in_time_is_not_cut_off(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET /large?size=1000000 HTTP/1.1\r\nHost: test\r\n\r\n")
        received = read_to_end(client)
    assert status_of(received) == 200
    assert len(received.partition(b"\r\n\r\n")[2]) == 1_000_000
    for _ in range(3):
        time.sleep(1)
        assert server.request("GET", "/large?size=1000").status == 200


def test_large_answers_take_so_much_together_and_no_more(own_server: Server) -> None:
    """64 MB are nine of them."""
    before = rss(own_server)
    with lazy_clients(own_server, "/large?size=7000000", 8) as first:
        with lazy_clients(own_server, "/large?size=7000000", 8) as clients:
            refused = [status_of(client.recv(300)) for client in clients]
            assert 6 <= refused.count(503) <= 7
            assert own_server.request("GET", "/large?size=1000").status == 200
            assert rss(own_server) - before < 160 * MIB
        assert len(first) == 8
    wait_until(lambda: own_server.request("GET", "/large?size=7000000").status == 200, within=10)


def test_an_endless_answer_ends(own_server: Server) -> None:
    with lazy_clients(own_server, "/endless", 3):
        assert rss(own_server) < 400 * MIB
    wait_until(lambda: own_server.request("GET", "/large?size=7000000").status == 200, within=10)


def test_work_whose_client_has_left_is_dropped(server: Server) -> None:
    before = server.request("GET", "/stats").json["slept"]
    with ExitStack() as stack:
        for _ in range(10):
            client = stack.enter_context(server.connect())
            client.sendall(b"GET /slow?seconds=1 HTTP/1.1\r\nHost: test\r\n\r\n")
        time.sleep(0.4)
    time.sleep(1.5)
    assert server.request("GET", "/stats").json["slept"] == before + 4, "those with a thread"


def test_slow_pages_keep_no_hit_waiting(server: Server) -> None:
    pages = [
        threading.Thread(target=server.request, args=("GET", "/slow?seconds=1")) for _ in range(11)
    ]
    for page in pages:
        page.start()
    time.sleep(0.3)
    began = time.monotonic()
    answers = [server.request("POST", "/track", b"x" * 65_537) for _ in range(3)]
    seconds = time.monotonic() - began
    for page in pages:
        page.join()
    assert [answer.status for answer in answers] == [400] * 3
    assert seconds < 0.7


def test_a_hit_whose_sender_has_left_is_still_taken(server: Server) -> None:
    before = server.request("GET", "/stats").json["requests"]
    for _ in range(5):
        with server.post("/track", "Content-Length: 2") as client:
            client.sendall(b"{}")
    wait_until(lambda: server.request("GET", "/stats").json["requests"] >= before + 1 + 5, within=5)
    assert not re.search("Traceback", server.log)
