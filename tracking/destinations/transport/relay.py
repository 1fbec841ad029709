"""The relay: the way out for client libraries that open sockets of their own.

A library connects to the relay on 127.0.0.1, and only the relay connects to the destination: to an
address that the guard allows (see `ssrf`), or through the outbound proxy, whatever the library
resolves, follows or reads from the environment. It passes on at most `limit` bytes of what the
destination sends, so that no library keeps more in memory. TLS passes through unopened.

As a tunnel it leads to one host and port. As a proxy it leads where the library's requests say:
RFC 9110, section 9.3.6 (CONNECT), and for plain HTTP RFC 9112, section 3.2.2 (absolute-form).
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tracking.conf import conf
from tracking.destinations.transport.names import lookups
from tracking.destinations.transport.outbound_proxy import open_tunnel
from tracking.destinations.transport.ssrf import AddressRefusedError, open_socket

CHUNK = 65_536
#: Bytes of the head of a request to the proxy, at most; and seconds for one attempt to connect.
HEAD_LIMIT = 32_768
CONNECT_SECONDS = 5.0
USER = "hitstream"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AnswerTooLongError(OSError):
    """The destination sends more than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The destination sent more than {limit:,} bytes.")


class Relay:
    """An async context manager. With a `target` it is a tunnel, which is connected at the beginning
    and raises OSError if that fails; without one it is a proxy. `fault` is why it ended a
    connection; None if it ended none."""

    def __init__(self, limit: int, target: tuple[str, int] | None = None) -> None:
        self.fault: OSError | None = None
        self._left = self._limit = limit
        self._target = target
        self._first: Streams | None = None
        self._password = secrets.token_urlsafe(24)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if self._target is not None:
            self._first = await connect(*self._target)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", limit=CHUNK)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._first is not None:
            self._first[1].close()

    def allow(self, limit: int) -> None:
        """Pass on so many bytes from now on."""
        self._left = self._limit = limit

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def proxy_url(self) -> str:
        """The URL of the proxy. Other programs of this machine do not know its password."""
        return f"http://{USER}:{self._password}@127.0.0.1:{self.port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except OSError as fault:
            self.fault = self.fault or fault
        except (ValueError, EOFError, asyncio.LimitOverrunError):
            pass  # No request that a library of ours makes.
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        if self._target is None:
            upstream, head = await self._answer_proxy(reader, writer)
        else:
            upstream, self._first = self._first or await connect(*self._target), None
        theirs, to_them = upstream
        try:
            to_them.write(head)
            outgoing = asyncio.ensure_future(pump(reader, to_them))
            try:
                await self._pump_back(theirs, writer)
            finally:
                outgoing.cancel()
                await asyncio.gather(outgoing, return_exceptions=True)
        finally:
            to_them.close()

    async def _answer_proxy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Streams, bytes]:
        """Read the head of a request to the proxy. Returns the connection to where it leads, and
        what of the head belongs there."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:HEAD_LIMIT].split(b"\r\n")
        if not self._is_authorised(lines):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            raise ValueError
        method, target, _ = first.decode("ascii").split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        upstream = await connect(parts.hostname or "", parts.port or 80)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return upstream, b""
        kept = [line for line in lines if not line.lower().startswith(b"proxy-")]
        return upstream, b"\r\n".join([first, *kept])

    def _is_authorised(self, lines: list[bytes]) -> bool:
        credentials = base64.b64encode(f"{USER}:{self._password}".encode())
        wanted = b"proxy-authorization: basic " + credentials.lower()
        return any(hmac.compare_digest(line.lower(), wanted) for line in lines)

    async def _pump_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the destination sends. Raises AnswerTooLongError."""
        while data := await reader.read(CHUNK):
            self._left -= len(data)
            if self._left < 0:
                raise AnswerTooLongError(self._limit)
            writer.write(data)
            await writer.drain()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def connect(host: str, port: int) -> Streams:
    """Connect to the first address of the host that may be called and answers, or through the
    outbound proxy. Raises OSError, and AddressRefusedError if none may be called."""
    if conf.OUTBOUND_PROXY:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await open_tunnel(host, port)
    loop = asyncio.get_running_loop()
    fault: OSError | None = None
    for family, kind, protocol, name, address in await lookups.find(host, port):
        try:
            ours = open_socket((family, kind, protocol, name, address))
        except AddressRefusedError as refusal:
            fault = fault or refusal
            continue
        try:
            ours.setblocking(False)
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(ours, address)
            return await asyncio.open_connection(sock=ours, limit=CHUNK)
        except OSError as error:
            ours.close()
            fault = error
    raise fault or OSError(f"The host {host} has no address.")
