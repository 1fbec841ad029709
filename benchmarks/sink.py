"""A vendor that costs next to nothing: requests in, a handler that answers them.

It shares its event loop, and the machine, with the load that is measured, so it looks at no more
of a request than its length; handlers find what they count with `bytes.find`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
LENGTH = b"ontent-Length:"

#: Takes a whole request, and answers it on the transport, at once or later.
Handler = Callable[[bytes, asyncio.Transport], None]


def fail(request: bytes, transport: asyncio.Transport) -> None:
    transport.write(FAILED)


def swallow(request: bytes, transport: asyncio.Transport) -> None:
    """The connection stays open, and nothing ever comes back."""


class Sink(asyncio.Protocol):
    """One connection: each whole request goes to the handler."""

    transport: asyncio.Transport

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.kept = b""
        self.needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no instances of it.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.kept:
            data = self.kept + data
        while len(data) >= self.needed:
            self.needed = self.needed or end_of(data)
            if not self.needed or len(data) < self.needed:
                break
            request, data = data[: self.needed], data[self.needed :]
            self.needed = 0
            self.handle(request, self.transport)
        self.kept = data


def end_of(request: bytes) -> int:
    """How long the whole request is; 0 while its head is not complete."""
    head = request.find(b"\r\n\r\n")
    if head < 0:
        return 0
    at = request.find(LENGTH, 0, head)
    if at < 0:
        at = request[:head].lower().find(LENGTH.lower())
        assert at >= 0, request[:head]
    at += len(LENGTH)
    return head + 4 + int(request[at : request.find(b"\r", at)])


@asynccontextmanager
async def sink(port: int, handle: Handler) -> AsyncIterator[str]:
    """Listens on loopback; its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(handle), "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        server.close()
