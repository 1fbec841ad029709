"""Between an SDK and the server: all is passed on, and what was asked and answered is kept."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.vendor import listen

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the body holds: a batch's events, with its `sentAt` where they have none."""
        zipped = self.headers.get("content-encoding") == "gzip"
        said = json.loads(gzip.decompress(self.body) if zipped else self.body)
        if "batch" not in said:
            return [said]
        return [{"batchSentAt": said.get("sentAt"), **event} for event in said["batch"]]


@dataclass
class Tap:
    upstream: int
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def posts(self, *statuses: int) -> list[Exchange]:
        """Those that were answered so."""
        posts = [each for each in list(self.exchanges) if each.method == "POST"]
        return [each for each in posts if each.status in statuses]

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The events that the server said it has."""
        return [event for post in self.posts(200) for event in post.events]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, tap: Tap, *args: Any) -> None:
        self.tap = tap
        super().__init__(*args)

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection(HOST, self.tap.upstream, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.tap.exchanges.append(Exchange(self.command, self.path, headers, body, answer.status))
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        if answer.status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_OPTIONS = pass_on  # noqa: N815 (the base class' own names)

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def open_tap(upstream: int) -> Iterator[Tap]:
    """To the server at this port."""
    tap = Tap(upstream)
    with serve(partial(Handler, tap)) as tap.port:
        yield tap


@contextlib.contextmanager
def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port at which the handler answers, each connection in a thread of its own."""
    server = ThreadingHTTPServer((HOST, 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listen()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()
