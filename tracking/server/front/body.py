"""Receives a request's body, bounded in bytes.

In: an RSGI scope and protocol. Out: a Body, whole or cut right after its route's limit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from tracking.server.front.completeness import is_whole
from tracking.server.front.granian_types import HTTPProtocol, ProtocolClosed, Scope
from tracking.server.front.patience import Patience
from tracking.server.front.refusal import BodyTooLarge, BrokenBody, Overloaded

LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0


@dataclass(frozen=True)
class Limit:
    """The most bytes that a route reads. An ingest route's application refuses longer bodies, after
    it has authenticated the sender; elsewhere the front refuses them. `on_loop` if the application
    answers a small request of the route without waiting, `browsers` if a page of any site may read
    the front's refusals."""

    size: int
    ingest: bool = False
    browsers: bool = False
    on_loop: bool = True


OTHER = Limit(4 * 1024 * 1024)
#: Bytes up to which a body does not count as large.
SMALL = 64 * 1024


@dataclass(frozen=True)
class Body:
    """The bytes that were read, and the CONTENT_LENGTH for the application ("" for none).

    `cut` if the body is longer than its limit and was not read to its end. `unclear` if the server
    cannot tell a whole body from a broken one.
    """

    content: bytes = b""
    length: str = ""
    cut: bool = False
    unclear: bool = False


class Memory:
    """Bytes of all large bodies received so far. Announced but unreceived bytes do not count."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    def take(self, size: int) -> None:
        """Reserve the bytes. Raises Overloaded beyond the limit."""
        if self._held + size > self._limit:
            raise Overloaded
        self._held += size

    def give_back(self, size: int) -> None:
        self._held -= size


class Share:
    """One body's share of the memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._size = 0

    def grow(self, size: int) -> None:
        """Note the body's present size. Raises Overloaded."""
        if size > SMALL:
            self._memory.take(size - self._size)
            self._size = size

    def close(self) -> None:
        self._memory.give_back(self._size)


def announce(scope: Scope) -> int | None:
    """Return the announced length of the body, None if only reading can tell."""
    headers = scope.headers
    if "transfer-encoding" in headers:
        return None
    announced = headers.get("content-length")
    if announced is not None:
        return int(announced)
    return None if scope.http_version == "2" else 0


async def receive(
    scope: Scope,
    protocol: HTTPProtocol,
    announced: int | None,
    limit: Limit,
    patience: Patience,
    until: float,
    share: Share,
) -> Body:
    """Return the body, holding at most the limit and one chunk. Raises BrokenBody, BodyTooLarge,
    Overloaded, and TimeoutError once the loop's clock is past `until`."""
    if announced is not None and announced > limit.size:
        body = Body(length=str(announced), cut=True)
    elif announced is not None and announced <= SMALL:
        body = await _receive_announced(protocol, announced, patience, until)
    else:
        body = await _receive_chunks(protocol, announced, limit.size, patience, until, share)
    if body.cut and not limit.ingest:
        raise BodyTooLarge(limit.size)
    if body.unclear and not (limit.ingest and is_whole(body.content, scope, limit.size)):
        raise BrokenBody
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
    protocol: HTTPProtocol,
    announced: int | None,
    limit: int,
    patience: Patience,
    until: float,
    share: Share,
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
        share.grow(len(received))
    # Granian ends a whole body with one empty chunk and a broken one, or one with a trailer, with
    # more.
    whole = endings <= 1 if announced is None else len(received) == announced
    if not whole and announced is not None:
        raise BrokenBody
    return Body(bytes(received), str(len(received)), unclear=not whole)


async def linger(protocol: HTTPProtocol) -> None:
    """Read and drop some of the rest, so that a client which sends before it reads gets its answer
    instead of a reset. Then the server closes the connection."""
    chunks: AsyncIterator[bytes] = cast(Any, protocol)
    dropped = 0
    with suppress(TimeoutError, StopAsyncIteration, RuntimeError):
        async with asyncio.timeout(LINGER_SECONDS):
            with suppress(RuntimeError):  # The body was being read already.
                chunks = aiter(protocol)
            while dropped < LINGER_BYTES:
                dropped += len(await anext(chunks))
