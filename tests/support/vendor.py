"""A vendor's wire: a real server on 127.0.0.1 that answers as a test tells it to."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[socket.socket], None]


@dataclass
class Received:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Vendor:
    """`answer` writes to the connection after each request, or `judge` does, by what was received;
    `connections` counts them."""

    listener: socket.socket
    answer: Answer
    tls: ssl.SSLContext | None = None
    judge: Callable[[Received, socket.socket], None] | None = None
    connections: int = 0
    received: list[Received] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        # A closed listener no longer knows its port.
        self.port = int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    def accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while request := read_request(connection):
                self.received.append(request)
                if self.judge is not None:
                    self.judge(request, connection)
                else:
                    self.answer(connection)


def read_request(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (item.partition(": ") for item in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    return Received(line, headers, body)


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    """An ordinary answer; `Retry_After="5"` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)

    return answer


def stall(connection: socket.socket) -> None:
    """Promise a body and never send it; end when the client leaves."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    while connection.recv(65_536):
        pass


def drip(connection: socket.socket) -> None:
    """A byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b".")
        time.sleep(0.05)


def pour(connection: socket.socket) -> None:
    """As much as the other side takes, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def babble(connection: socket.socket) -> None:
    connection.sendall(b"this is not HTTP at all\r\n\r\n")
    hang_up(connection)


@contextlib.contextmanager
def open_vendor(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[Vendor]:
    vendor = Vendor(listen(), answer, tls)
    thread = threading.Thread(target=vendor.accept, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        vendor.stopped.set()
        with contextlib.suppress(OSError):
            vendor.listener.shutdown(socket.SHUT_RDWR)
        # Another listener may get the number of this one's file.
        thread.join(5)
        vendor.listener.close()


def listen() -> socket.socket:
    """A listener below the ephemeral ports, where no outgoing connection takes it."""
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", random.randint(20_000, 32_000)))
        except OSError:
            listener.close()
            continue
        listener.listen(64)
        return listener
