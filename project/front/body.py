"""Receiving a request's body, bounded in bytes.

In: an RSGI scope and protocol. Out: a Body, whole or cut off right behind its route's limit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from project.front.patience import Patience
from project.front.refusal import BodyTooLarge, BrokenBody
from project.front.wire import HTTPProtocol, ProtocolClosed, Scope

LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0


@dataclass(frozen=True)
class Limit:
    """The most bytes that a route reads. An ingest route's application refuses what is longer,
    after it has authenticated the sender; elsewhere the front refuses it."""

    size: int
    ingest: bool = False


OTHER = Limit(4 * 1024 * 1024)
#: Bodies up to here do not count as large, in bytes.
SMALL = 64 * 1024


@dataclass(frozen=True)
class Body:
    """What was read, and the CONTENT_LENGTH that the application is told ("" for none).

    `cut` says that the body is longer than its limit and was not read to its end.
    """

    content: bytes = b""
    length: str = ""
    cut: bool = False


def announce(scope: Scope) -> int | None:
    """The body's length if the request says it, None if only reading can tell."""
    headers = scope.headers
    if "transfer-encoding" in headers:
        return None
    announced = headers.get("content-length")
    if announced is not None:
        return int(announced)
    return None if scope.http_version == "2" else 0


def weigh(announced: int | None, limit: Limit) -> int:
    """The memory that a body may come to take, as far as it counts: small ones do not."""
    size = limit.size if announced is None else announced
    return size if SMALL < size <= limit.size else 0


async def receive(
    protocol: HTTPProtocol, announced: int | None, limit: Limit, patience: Patience, until: float
) -> Body:
    """The body; at most the limit and one chunk were held. Raises BrokenBody, BodyTooLarge, and
    TimeoutError once the loop's clock is past `until`."""
    if announced is None:
        body = await _receive_chunks(protocol, limit.size, patience, until)
    elif announced > limit.size:
        body = Body(length=str(announced), cut=True)
    else:
        body = await _receive_announced(protocol, announced, patience, until)
    if body.cut and not limit.ingest:
        raise BodyTooLarge(limit.size)
    return body


async def _receive_announced(
    protocol: HTTPProtocol, announced: int, patience: Patience, until: float
) -> Body:
    try:
        # The server ends the body at the announced length, whatever else the client sends.
        return Body(await patience.wait(protocol(), until), str(announced))
    except ProtocolClosed as error:
        raise BrokenBody from error


async def _receive_chunks(
    protocol: HTTPProtocol, limit: int, patience: Patience, until: float
) -> Body:
    received = bytearray()
    endings = 0
    chunks = aiter(protocol)
    while True:
        try:
            chunk = await patience.wait(anext(chunks), until)
        except StopAsyncIteration:
            break
        received += chunk
        endings += not chunk
        if len(received) > limit:
            return Body(bytes(received[: limit + 1]), cut=True)
    # Granian ends a whole body with one empty chunk and a broken one with two. Trailers, and
    # HTTP/2's empty last frame after a body without content-length, cannot be told from a broken
    # body, so they are refused too.
    if endings > 1:
        raise BrokenBody
    return Body(bytes(received), str(len(received)))


async def linger(protocol: HTTPProtocol) -> None:
    """Some of the rest is read and dropped, so that a client which sends before it reads gets its
    answer instead of a reset. Afterwards the server closes the connection."""
    chunks: AsyncIterator[bytes] = cast(Any, protocol)
    dropped = 0
    with suppress(TimeoutError, StopAsyncIteration, RuntimeError):
        async with asyncio.timeout(LINGER_SECONDS):
            with suppress(RuntimeError):  # The body was being read already.
                chunks = aiter(protocol)
            while dropped < LINGER_BYTES:
                dropped += len(await anext(chunks))
