"""What comes to the sink of the delivery workload: each expected hit counts once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop

from benchmarks.compare.side import free_port
from benchmarks.sink import OK, Handler, sink

DIGITS = 8


class Arrivals:
    """Hits whose hitId is the mark and a number; all others are answered and not counted."""

    def __init__(self) -> None:
        self.expect(b"", 0)

    def expect(self, mark: bytes, hits: int) -> None:
        """Begin to count this many hits from 0."""
        self.mark = b""
        self.seen = bytearray(hits)
        self.received, self.last_at = 0, 0.0
        self.mark = mark

    def take(self, request: bytes, transport: asyncio.Transport) -> None:
        """Answer the request, and count the hits in it, each once."""
        transport.write(OK)
        mark, size = self.mark, len(self.mark)
        at = request.find(mark) if mark else -1
        while at >= 0:
            number = int(request[at + size : at + size + DIGITS])
            if not self.seen[number]:
                self.seen[number] = 1
                self.last_at = time.perf_counter()
                self.received += 1
            at = request.find(mark, at + size)


@contextmanager
def listening(handle: Handler) -> Iterator[str]:
    """Listen in a thread, so that the sink answers while this one waits for processes; its URL."""
    port = free_port()
    loop = uvloop.new_event_loop()
    over = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        async with sink(port, handle):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise OSError(f"nothing listens on port {port}")
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
