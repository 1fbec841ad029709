"""The load whose hits are followed: posted over keep-alive connections, awaited at the sink.

Closed loop: a hit is posted only while fewer than `window` are on their way, so that a rate at the
sink is one that can be sustained, and nobody is measured on a backlog. With a window of 0 only
`post_at` posts. All of it is raw protocols in one event loop, the sink's own.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

from benchmarks.copying import HIT
from benchmarks.sink import OK

CONNECTIONS, DIGITS = 32, 8
HEAD = (
    "POST /track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Authorization: {}\r\nContent-Length: {}\r\n\r\n"
)
BEFORE, AFTER = HIT.split(b"%s")
loads = count(1)


class Load:
    """`take` is the sink's handler; the hits of other loads it answers and does not count."""

    def __init__(self, port: int, authorization: str, *, window: int = 0) -> None:
        self.port, self.window = port, window
        self.mark = b"bench-%04d-" % next(loads)
        length = len(BEFORE) + len(self.mark) + DIGITS + len(AFTER)
        self.before = HEAD.format(authorization, length).encode() + BEFORE + self.mark
        self.running = False
        self.idle: deque[Sender] = deque()
        self.received = self.repeated = self.accepted = 0
        self.refused: Counter[str] = Counter()
        #: For each hit posted: when it was sent and when it came to the sink, or 0.
        self.sent_at, self.received_at = array("d"), array("d")

    @property
    def posted(self) -> int:
        return len(self.sent_at)

    @property
    def latencies(self) -> list[float]:
        """Seconds from POST to sink, in the order of posting; of hits that arrived."""
        pairs = zip(self.sent_at, self.received_at, strict=True)
        return [received - sent for sent, received in pairs if received]

    def next(self) -> bytes:
        """A hit that differs from all others, as a request."""
        number = len(self.sent_at)
        self.sent_at.append(time.perf_counter())
        self.received_at.append(0.0)
        return b"%s%08d%s" % (self.before, number, AFTER)

    def ready(self, sender: Sender) -> None:
        self.idle.append(sender)
        self.push()

    def push(self) -> None:
        while self.idle and self.running and self.posted - self.received < self.window:
            self.idle.popleft().post()

    def take(self, request: bytes, transport: asyncio.Transport) -> None:
        """Each hit in the request is received; one that names itself twice is still one."""
        transport.write(OK)
        mark, size, last = self.mark, len(self.mark), -1
        at = request.find(mark)
        while at >= 0:
            number = int(request[at + size : at + size + DIGITS])
            if number != last:
                last = number
                self._receive(number)
            at = request.find(mark, at + size)
        self.push()

    def _receive(self, number: int) -> None:
        if self.received_at[number]:
            self.repeated += 1
        else:
            self.received_at[number] = time.perf_counter()
            self.received += 1

    async def post_at(self, when: float) -> None:
        """One hit is posted at this time of time.perf_counter; if late, it counts from then."""
        await asyncio.sleep(when - time.perf_counter())
        while not self.idle:
            await asyncio.sleep(0.001)
        self.idle.popleft().post()
        self.sent_at[-1] = when

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: Sender(self), "127.0.0.1", self.port)

    async def drain(self, seconds: float) -> None:
        """Nothing more is posted; all that was is received, or the time is up."""
        self.running = False
        ends = time.perf_counter() + seconds
        while self.received < self.posted and time.perf_counter() < ends:
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def connected(self, connections: int = CONNECTIONS) -> AsyncIterator[None]:
        """Ready to post, and posting if there is a window."""
        self.running = True
        await asyncio.gather(*(self.connect() for _ in range(connections)))
        try:
            yield
        finally:
            self.running = False
            while self.idle:
                self.idle.popleft().transport.close()


class Sender(asyncio.Protocol):
    """One connection that posts a hit at a time."""

    transport: asyncio.Transport

    def __init__(self, load: Load) -> None:
        self.load = load
        self.kept = b""
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no instances of it.
        self.transport = cast(asyncio.Transport, transport)
        self.load.ready(self)

    def post(self) -> None:
        self.waiting = True
        self.transport.write(self.load.next())

    def data_received(self, data: bytes) -> None:
        if self.kept:
            data = self.kept + data
        if b"\r\n\r\n" not in data:
            self.kept = data
            return
        self.kept, self.waiting = b"", False
        if not data.startswith(b"HTTP/1.1 204"):
            self.load.refused[data[9:12].decode()] += 1
            self.transport.close()
            return
        self.load.accepted += 1
        if b"onnection: close" in data:
            self.transport.close()
        else:
            self.load.ready(self)

    def connection_lost(self, error: Exception | None) -> None:
        load = self.load
        if self in load.idle:
            load.idle.remove(self)
        if self.waiting:
            load.refused["no answer"] += 1
        if load.running:
            task = asyncio.get_running_loop().create_task(load.connect())
            tasks.add(task)
            task.add_done_callback(tasks.discard)


#: The event loop keeps only weak references to its tasks.
tasks: set[asyncio.Task[None]] = set()
