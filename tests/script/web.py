"""Origins of the tests' own: a site with pages, or a way to Hitstream with a gate in it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import free_port

PAGE = "<!doctype html><title>Boots</title><link rel=icon href=data:,>"
HOP = {"connection", "transfer-encoding", "server", "date", "keep-alive", "content-length"}

#: What the gate says of a body: the status to refuse it with, DROP to hang up, or None to pass.
Gate = Callable[[bytes], int | None]
DROP = 0


@dataclass
class Post:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """`host` is the name in its address. Paths that begin with `prefix` go to the port `upstream`,
    with `onto` in the prefix's place; all others are the page."""

    host: str
    port: int
    html: str = PAGE
    headers: dict[str, str] = field(default_factory=dict)
    upstream: int | None = None
    prefix: str = "/"
    onto: str = "/"
    gate: Gate = lambda body: None
    retry_after: str | None = None
    posts: list[Post] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    def refuse_all(self, status: int, *, retry_after: str | None = None) -> None:
        self.gate = lambda body: status
        self.retry_after = retry_after

    def pass_all(self) -> None:
        self.gate = lambda body: None

    def names(self) -> list[str]:
        """The events that were posted here, refused or not."""
        return [post.json["event"]["name"] for post in self.posts]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def do_GET(self) -> None:
        if self.is_upstream:
            self.forward(b"")
        else:
            self.answer(200, {"Content-Type": "text/html", **self.web.headers}, self.web.html)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.web.posts.append(Post(self.path, dict(self.headers.items()), body))
        refused = self.web.gate(body)
        if refused is None:
            self.forward(body)
        elif refused == DROP:
            self.close_connection = True
        else:
            headers = {
                "Access-Control-Allow-Origin": self.headers["Origin"],
                "Access-Control-Expose-Headers": "Retry-After",
            }
            if self.web.retry_after:
                headers["Retry-After"] = self.web.retry_after
            self.answer(refused, headers, "")

    @property
    def is_upstream(self) -> bool:
        return self.web.upstream is not None and self.path.startswith(self.web.prefix)

    def forward(self, body: bytes) -> None:
        assert self.is_upstream, self.path
        upstream = http.client.HTTPConnection("127.0.0.1", self.web.upstream, timeout=10)
        path = self.web.onto + self.path.removeprefix(self.web.prefix)
        upstream.request(self.command, path, body, dict(self.headers.items()))
        got = upstream.getresponse()
        headers = {name: value for name, value in got.getheaders() if name.lower() not in HOP}
        self.answer(got.status, headers, got.read())
        upstream.close()

    def answer(self, status: int, headers: dict[str, str], body: str | bytes) -> None:
        content = body.encode() if isinstance(body, str) else body
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status not in {204, 304}:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(host: str = "127.0.0.1", **settings: Any) -> Iterator[Web]:
    web = Web(host, free_port(), **settings)
    handler = type("WebHandler", (Handler,), {"web": web})
    server = ThreadingHTTPServer(("127.0.0.1", web.port), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
