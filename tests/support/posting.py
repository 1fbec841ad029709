"""Requests to any ingest route, as our server hands them to the application."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import RequestFactory

from tracking.server.wsgi import application


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


def ask(method: str, path: str, environ: dict[str, str], body: bytes = b"") -> Answer:
    """The application's answer to a request with these in its environ."""
    request = RequestFactory(SERVER_NAME="localhost").generic(method, path, body)
    request.environ.update(environ)
    head: list[Any] = []
    content = b"".join(application(request.environ, lambda *said: head.extend(said)))  # type: ignore[arg-type]
    status, headers = head[0], head[1]
    return Answer(int(status[:3]), dict(headers), content)


def environ_of(headers: dict[str, str]) -> dict[str, str]:
    return {f"HTTP_{name.upper()}": value for name, value in headers.items()}


def post(
    path: str,
    body: Any,
    *,
    content_type: str = "text/plain",
    remote_addr: str = "203.0.113.7",
    **headers: str,
) -> Answer:
    """POSTs JSON, or raw bytes; keywords are headers."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    environ = {"CONTENT_TYPE": content_type, "REMOTE_ADDR": remote_addr, **environ_of(headers)}
    return ask("POST", path, environ, content)


def get(path: str, query: dict[str, str] | None = None, **headers: str) -> Answer:
    url = f"{path}?{urlencode(query)}" if query else path
    return ask("GET", url, environ_of({"host": "hits.example", **headers}))
