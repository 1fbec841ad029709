"""Receiving a request's body, bounded in bytes.

In: an RSGI scope and protocol. Out: a Body, whole or cut off right behind its route's limit.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope

LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0


@dataclass(frozen=True)
class Limit:
    """The most bytes that a route reads. An ingest route's application refuses what is longer,
    after it has authenticated the sender; elsewhere the front refuses it."""

    size: int
    ingest: bool = False


INGEST = Limit(65_536, ingest=True)
OTHER = Limit(10 * 1024 * 1024)
LIMITS = {
    "/track": INGEST,
    "/track/": INGEST,
}


class BrokenBody(Exception):
    """The client left, or broke the framing, before its body was complete."""


@dataclass(frozen=True)
class Body:
    """What was read, and the CONTENT_LENGTH that the application is told ("" for none).

    `cut` says that the body is longer than its limit and was not read to its end.
    """

    content: bytes = b""
    length: str = ""
    cut: bool = False


def limit_of(path: str) -> Limit:
    return LIMITS.get(path, OTHER)


def announce(scope: Scope) -> int | None:
    """The body's length if the request says it, None if only reading can tell."""
    headers = scope.headers
    if "transfer-encoding" in headers:
        return None
    announced = headers.get("content-length")
    if announced is not None:
        return int(announced)
    return None if scope.http_version == "2" else 0


async def receive(protocol: HTTPProtocol, announced: int | None, limit: int) -> Body:
    """The body, whole or cut; at most the limit and one chunk were held. Raises BrokenBody."""
    if announced is None:
        return await _receive_chunks(protocol, limit)
    if announced > limit:
        return Body(length=str(announced), cut=True)
    try:
        # The server ends the body at the announced length, whatever else the client sends.
        return Body(await protocol(), str(announced))
    except ProtocolClosed as error:
        raise BrokenBody from error


async def _receive_chunks(protocol: HTTPProtocol, limit: int) -> Body:
    received = bytearray()
    endings = 0
    async for chunk in protocol:
        received += chunk
        endings += not chunk
        if len(received) > limit:
            return Body(bytes(received[: limit + 1]), str(len(received)), cut=True)
    # Granian ends a whole body with one empty chunk, and a broken one with two. Trailers look
    # the same as a broken body, so they are refused too.
    if endings > 1:
        raise BrokenBody
    return Body(bytes(received), str(len(received)))


async def linger(protocol: HTTPProtocol) -> None:
    """Some of the rest is read and dropped, so that a client which sends before it reads gets its
    answer instead of a reset. Afterwards the server closes the connection."""
    dropped = 0
    with suppress(TimeoutError, StopAsyncIteration, RuntimeError):
        async with asyncio.timeout(LINGER_SECONDS):
            with suppress(RuntimeError):  # The body was being read already.
                aiter(protocol)
            while dropped < LINGER_BYTES:
                dropped += len(await protocol.__anext__())
