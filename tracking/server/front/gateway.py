"""The WSGI gateway: from an RSGI request with its body to the answer on the wire.

In: scope, protocol and a received Body, on the event loop or one of Django's threads. Out: the
application's answer.
"""

import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from tracking.current_request import HEADER, id_of
from tracking.ingest.write.deferred import DEFERRED, DeferredResponse
from tracking.server.front.body import Body
from tracking.server.front.files import FileWrapper
from tracking.server.front.granian_types import HTTPProtocol, ProtocolClosed, Scope
from tracking.server.front.outgoing import FILE_BYTES, LARGE, LargeAnswer
from tracking.server.front.refusal import RequestRefused

log = logging.getLogger(__name__)

CONSTANTS: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
    "wsgi.file_wrapper": FileWrapper,
}
CLOSE = ("connection", "close")
#: The replacement character in UTF-8, as WSGI carries bytes.
UNREADABLE = "\ufffd".encode().decode("latin-1")
PROTOCOLS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2"}


@lru_cache(maxsize=1024)
def name_of(header: str) -> str:
    """Return the environ's name for a header, "" for one that the application must not see.

    `x_user` and `x-user` would get the same name, so the one that proxies do not filter is dropped.
    The Body gives length and framing.
    """
    if "_" in header or header in {"content-length", "transfer-encoding"}:
        return ""
    name = header.upper().replace("-", "_")
    return name if name == "CONTENT_TYPE" else f"HTTP_{name}"


def split_address(address: str) -> tuple[str, str]:
    """Return host and port; IPv6 without its brackets. A unix socket has neither."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return "", ""
    return host.strip("[]"), port


def build_environ(scope: Scope, body: Body) -> WSGIEnvironment:
    """Return what the application sees of the request."""
    path = scope.path
    environ = CONSTANTS.copy()
    environ["REQUEST_METHOD"] = scope.method
    # WSGI carries the path's UTF-8 bytes as latin-1 characters.
    environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
    environ["QUERY_STRING"] = scope.query_string
    environ["SERVER_PROTOCOL"] = PROTOCOLS.get(scope.http_version, "HTTP/1.1")
    environ["SERVER_NAME"], environ["SERVER_PORT"] = split_address(scope.server)
    environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = split_address(scope.client)
    environ["wsgi.url_scheme"] = scope.scheme
    environ["wsgi.input"] = BytesIO(body.content)
    for header, value in scope.headers.items():
        name = name_of(header)
        if name in environ:
            environ[name] += ("; " if name == "HTTP_COOKIE" else ",") + value
        elif name:
            environ[name] = value
    if "HTTP_USER_AGENT" not in environ and "user-agent" in scope.headers:
        # Granian hides a header that is not ASCII.
        environ["HTTP_USER_AGENT"] = UNREADABLE
    if body.length:
        environ["CONTENT_LENGTH"] = body.length
    # HTTP/2's :authority, or the host of an absolute request target: it overrides Host.
    if authority := scope.authority:
        environ["HTTP_HOST"] = authority
    return environ


class _Head:
    """The answer's status and headers, as the application starts it."""

    status = 500
    headers: list[tuple[str, str]]

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        self.status = int(status[:3])
        self.headers = headers
        return self._write

    def _write(self, data: bytes) -> None:
        raise NotImplementedError("Return the body from the application instead of writing it")


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """An answer that counts once the application's DeferredResponse is settled."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes
    deferred: DeferredResponse

    def send(self, protocol: HTTPProtocol) -> None:
        """Send the answer, or the refusal that replaces it."""
        refusal = self.deferred.refusal()
        if refusal is None:
            protocol.response_bytes(self.status, self.headers, self.content)
        else:
            protocol.response_bytes(refusal.status_code, [*refusal.items()], refusal.content)


@dataclass(slots=True)
class Responder:
    """The wire of a request. The connection ends with the answer to a body that was not read to its
    end (`cut`), and with a large answer, which `admit` counts by its size: it raises
    RequestRefused."""

    protocol: HTTPProtocol
    environ: WSGIEnvironment
    cut: bool
    admit: Callable[[WSGIEnvironment, HTTPProtocol, int], LargeAnswer]

    def begin(self, size: int) -> LargeAnswer:
        """Admit a large answer. Raises RequestRefused."""
        return self.admit(self.environ, self.protocol, size)

    def headers(self, given: list[tuple[str, str]], *, close: bool) -> list[tuple[str, str]]:
        return [*given, CLOSE] if close or self.cut else given


def answer(application: WSGIApplication, responder: Responder) -> HeldAnswer | None:
    """Call the application and send its answer, or a 500 whose cause the log has; close the answer.

    If the application left a DeferredResponse, send nothing yet and return the HeldAnswer. Raises
    NeedsThread as the application does.
    """
    protocol, environ = responder.protocol, responder.environ
    try:
        head = _Head()
        result = application(environ, head.start)
        try:
            if DEFERRED in environ:
                # Taken out: it leads back to the environ.
                deferred = environ.pop(DEFERRED)
                return HeldAnswer(head.status, head.headers, b"".join(result), deferred)
            _send(responder, head.status, head.headers, result)
        finally:
            if close := getattr(result, "close", None):
                close()
    except RequestRefused as refusal:
        refusal.send_plain(protocol, [(HEADER.lower(), id_of(environ))])
    except Exception:
        log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        # This sends nothing if an answer has begun.
        headers = [("content-type", "text/plain"), (HEADER.lower(), id_of(environ))]
        protocol.response_bytes(500, headers, b"Server error")
    return None


def _send(
    responder: Responder, status: int, headers: list[tuple[str, str]], result: Iterable[bytes]
) -> None:
    """Send the answer. Raises RequestRefused, and then sends nothing."""
    if isinstance(result, FileWrapper) and (span := result.span) is not None:
        _send_file(responder, status, headers, *span)
    elif isinstance(result, list | tuple) or getattr(result, "streaming", None) is False:
        content = b"".join(result)
        if is_large := len(content) > LARGE:
            responder.begin(len(content))
        responder.protocol.response_bytes(
            status, responder.headers(headers, close=is_large), content
        )
    else:
        _send_stream(responder, status, headers, result)


def _send_file(
    responder: Responder,
    status: int,
    headers: list[tuple[str, str]],
    path: str,
    start: int,
    end: int,
) -> None:
    if is_large := end - start > LARGE:
        responder.begin(FILE_BYTES)
    headers = responder.headers(headers, close=is_large)
    if start < end:
        responder.protocol.response_file_range(status, headers, path, start, end)
    else:
        responder.protocol.response_bytes(status, headers, b"")


def _send_stream(
    responder: Responder, status: int, headers: list[tuple[str, str]], result: Iterable[bytes]
) -> None:
    """Send what the application makes, as it is made. Granian queues it without a limit, so the
    answer ends where it does not fit beside the other large ones."""
    held = responder.begin(LARGE)
    transport = responder.protocol.response_stream(status, responder.headers(headers, close=True))
    sent = 0
    with suppress(ProtocolClosed, RequestRefused):  # The client has left, or reads too slowly.
        for chunk in result:
            sent += len(chunk)
            if sent > held.size:
                held.grow(max(LARGE, sent - held.size))
            if chunk:
                _push(transport.send_bytes(chunk))


def _push(sending: Awaitable[None]) -> None:
    """Queue the chunk. Granian queues without a limit and at once, so no loop is needed."""
    for _ in sending.__await__():
        raise RuntimeError("Sending has to wait, which only the event loop can")
