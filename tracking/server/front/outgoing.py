"""Large answers on their way: bounded in bytes together, each in time.

Granian takes an answer at once and holds it until the client has read it, however long that takes.
So a large answer ends its connection: the connection's end is the only sign that the answer is
read. Files are read by granian itself, in pieces, as fast as the client reads them. The kernel
cuts off a client that reads nothing at all.
"""

import asyncio
import os
import socket
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from tracking.server.front.granian_types import HTTPProtocol
from tracking.server.front.patience import Patience
from tracking.server.front.refusal import Overloaded

#: Bytes from which an answer counts as large: about what the kernel itself holds.
LARGE = 128 * 1024
#: What granian holds of a file.
FILE_BYTES = 256 * 1024
DESCRIPTORS = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")

#: Host and port of a client; both are empty for a connection that must not be ended: a unix socket,
#: HTTP/2.
Peer = tuple[str, str]


class Connection:
    """The client's end of a request."""

    __slots__ = ("_ended", "_gone", "_loop", "_protocol", "is_watched", "peer")

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: HTTPProtocol, peer: Peer) -> None:
        self.peer = peer
        #: Whether a large answer waits for the connection's end.
        self.is_watched = False
        self._loop = loop
        self._protocol = protocol
        self._ended: asyncio.Future[None] | None = None

    def ended(self) -> "asyncio.Future[None]":
        """Return the future of the connection's end, one for all who wait: granian reports the end
        once. Call it on the loop."""
        if self._ended is None:
            self._ended = self._loop.create_future()
            # Like a future, but it keeps one callback only.
            self._gone = cast(Any, self._protocol.client_disconnect())
            self._gone.add_done_callback(self._end)
        return self._ended

    def _end(self, gone: object) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def forget(self) -> None:
        """Wait for the end no longer."""
        self._gone.cancel()


class LargeAnswer:
    """The bytes that granian holds of one large answer."""

    def __init__(self, outgoing: "Outgoing") -> None:
        self._outgoing = outgoing
        self.size = 0

    def grow(self, size: int) -> None:
        """Add bytes. Raises Overloaded."""
        self._outgoing.reserve(size)
        self.size += size


class Outgoing:
    """The large answers of a process: at most `limit` bytes, for at most `seconds` each."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, patience: Patience, *, limit: int, seconds: float
    ) -> None:
        self._loop = loop
        self._patience = patience
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held = 0
        self._watches: set[asyncio.Task[None]] = set()

    def begin(self, connection: Connection, size: int) -> LargeAnswer:
        """Take an answer of so many bytes, which must end its connection. Call it on any thread,
        before the answer is sent. Raises Overloaded."""
        held = LargeAnswer(self)
        held.grow(size)
        connection.is_watched = True
        self._loop.call_soon_threadsafe(self._watch, connection, held)
        return held

    def reserve(self, size: int) -> None:
        """Count bytes as held; a negative size releases them. Raises Overloaded."""
        with self._lock:
            if size > 0 and self._held + size > self._limit:
                raise Overloaded
            self._held += size

    def _watch(self, connection: Connection, held: LargeAnswer) -> None:
        task = self._loop.create_task(self._wait(connection, held))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _wait(self, connection: Connection, held: LargeAnswer) -> None:
        """Wait for the end of the connection, and end it if the client takes too long."""
        try:
            await self._patience.wait(connection.ended(), self._loop.time() + self._seconds)
        except TimeoutError:
            if connection.peer[1]:
                await self._loop.run_in_executor(None, end_connection, connection.peer)
        finally:
            connection.forget()
            self.reserve(-held.size)


def sockets() -> Iterator[socket.socket]:
    """Yield the open sockets of this process, which granian does not show, as duplicates that are
    closed afterwards."""
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):
            number = int(name)
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as found:
                yield found


def end_connection(peer: Peer) -> None:
    """Shut down this process' connection with the peer. Granian has no way to do that."""
    for found in sockets():
        with suppress(OSError):
            named = found.getpeername()
            if isinstance(named, tuple) and (named[0], str(named[1])) == peer:
                # What the kernel still holds is dropped, too, once granian closes the socket.
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                found.shutdown(socket.SHUT_RDWR)


def end_unread(seconds: float) -> None:
    """Let the kernel end each connection whose client reads nothing for so many seconds while
    answers wait for it, whatever their size or version of HTTP. Only Linux can do that. Call it
    when the process listens: later connections inherit the limit."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return
    ours = {found.getsockname() for found in sockets() if is_listening(found)}
    for found in sockets():
        with suppress(OSError):
            if found.getsockname() in ours:
                found.setsockopt(socket.IPPROTO_TCP, option, max(1, round(seconds * 1000)))


def is_listening(found: socket.socket) -> bool:
    is_tcp = found.family in (socket.AF_INET, socket.AF_INET6)
    return is_tcp and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
