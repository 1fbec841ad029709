"""A TCP proxy in front of a server that can go silent, as a firewall or a network does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.support.ports import free_port

CHUNK = 65_536


class Proxy:
    """Forwards bytes both ways. While silent, it takes all bytes and forwards none, and answers no
    new connection. What was connected before stays silent for good if it `forgets`."""

    def __init__(self, connect: Callable[[], socket.socket], *, forgets: bool) -> None:
        self._connect, self._forgets = connect, forgets
        self.port = free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._silent = threading.Event()
        self._stopped = threading.Event()
        #: Connections from before the last silence.
        self._forgotten: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def go_silent(self) -> None:
        self._silent.set()
        if self._forgets:
            self._forgotten |= self._open

    def come_back(self) -> None:
        self._silent.clear()

    def reset(self) -> None:
        """End what was connected before the last silence."""
        for each in self._forgotten:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stopped.set()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        self._open.add(near)
        if self._silent.is_set():
            # It is never answered: what it sends is swallowed.
            self._swallow(near)
            return
        try:
            far = self._connect()
        except OSError:
            near.close()
            return
        self._open.add(far)
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while chunk := one.recv(CHUNK):
                if not (self._silent.is_set() or {one, other} & self._forgotten):
                    other.sendall(chunk)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _swallow(self, near: socket.socket) -> None:
        with suppress(OSError):
            while near.recv(CHUNK):
                pass


@contextmanager
def proxy(connect: Callable[[], socket.socket], *, forgets: bool) -> Iterator[Proxy]:
    """A proxy to what `connect` connects to."""
    made = Proxy(connect, forgets=forgets)
    try:
        yield made
    finally:
        made.close()
