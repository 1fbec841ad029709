"""A live server for the tests, and clients that need not be honest."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.ports import HOST, free_port

START_SECONDS = 15.0
OPTIONS = (
    *("--interface", "rsgi", "--task-impl", "asyncio", "--no-ws", "--workers", "1"),
    *("--http1-header-read-timeout", "2000", "--backlog", "4096", "--backpressure", "4096"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Server:
    """The test site under granian, from `with` to the end of `with`."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self._log = log

    def __enter__(self) -> Self:
        command = (sys.executable, "-m", "granian", "--host", HOST, "--port", str(self.port))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                (*command, *OPTIONS, "tests.server.site:app"),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/stats").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        chunked = body is not None and not isinstance(body, bytes)
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=10)

    def post(self, path: str, *lines: str) -> socket.socket:
        """A connection on which a POST's head was sent, and nothing of its body."""
        connection = self.connect()
        head = (f"POST {path} HTTP/1.1", "Host: test", *lines, "", "")
        connection.sendall("\r\n".join(head).encode())
        return connection


def read_to_end(connection: socket.socket) -> bytes:
    """All that the server sends until it closes the connection."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


def status_of(received: bytes) -> int:
    return int(received.split(b" ", 2)[1])


def json_of(received: bytes) -> dict[str, object]:
    content: dict[str, object] = json.loads(received.partition(b"\r\n\r\n")[2])
    return content
