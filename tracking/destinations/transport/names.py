"""The look-up of host names: a name in, its addresses out.

The system's look-up blocks its thread for half a minute where a name server is silent, and the pool
of an event loop has few threads (uvloop's two, for this), so that the names of a few destinations
would keep all others waiting. Here each name has a thread of its own while it is looked up, which
everybody shares who asks for the same name. Nothing waits for these threads at the end of a loop or
of the process.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from tracking import process

#: Names that are looked up at once, at most.
MOST = 500
BUSY = "Too many host names are being looked up."

#: As `socket.getaddrinfo` returns it.
Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
Key = tuple[str, int, int, int]


class Lookups:
    """The look-ups that run at the moment, for all event loops of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Key, Future[list[Address]]] = {}
        process.after_fork(self._after_fork)

    def _after_fork(self) -> None:
        self._lock, self._running = threading.Lock(), {}

    async def find(self, host: str, port: int, family: int = 0, flags: int = 0) -> list[Address]:
        """Return the addresses. Raises socket.gaierror, or ValueError for what is no name."""
        return await asyncio.wrap_future(self._start((host, port, family, flags)))

    def _start(self, key: Key) -> Future[list[Address]]:
        with self._lock:
            found = self._running.get(key)
            if found is not None:
                return found
            if len(self._running) >= MOST:
                raise socket.gaierror(socket.EAI_AGAIN, BUSY)
            found = self._running[key] = Future()
            # From now on, who asks no longer cannot cancel it for the others.
            found.set_running_or_notify_cancel()
        threading.Thread(target=self._run, args=(key, found), name="look-up", daemon=True).start()
        return found

    def _run(self, key: Key, found: Future[list[Address]]) -> None:
        host, port, family, flags = key
        try:
            result = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
        except Exception as error:
            self._forget(key)
            found.set_exception(error)
        else:
            self._forget(key)
            found.set_result(result)  # type: ignore[arg-type]

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._running.pop(key, None)


lookups = Lookups()


class SystemResolver(AbstractResolver):
    """The system's look-up for aiohttp."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await lookups.find(host, port, family, socket.AI_ADDRCONFIG)
        return [
            ResolveResult(
                hostname=host,
                host=text_of(address),
                port=port,
                family=found,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, _, protocol, _, address in addresses
        ]

    async def close(self) -> None:
        """Do nothing: the look-ups belong to the process."""


def text_of(address: tuple[Any, ...]) -> str:
    """Return the address as text, a link-local one with its scope."""
    scope = address[3] if len(address) > 3 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])
