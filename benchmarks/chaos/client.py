"""A client that insists: what was not answered 204 is posted again, with the same hitId."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

from benchmarks.copying import HIT

CONNECTIONS, PATIENCE, PAUSE = 16, 15.0, (0.1, 0.6)
PREFIX = b"chaos-"


class Client:
    """`accepted` are the numbers of the hits that were answered 204, `answers` counts all."""

    def __init__(self, port: int, authorization: str, *, hits: int, rate: float) -> None:
        self.port, self.authorization = port, authorization.encode()
        self.hits, self.rate = hits, rate
        self.accepted: set[int] = set()
        self.answers: Counter[str] = Counter()

    async def post_all(self) -> None:
        """Every hit was answered 204, none sooner than the rate allows."""
        began = asyncio.get_running_loop().time()
        numbers = iter(range(self.hits))
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._connection(numbers, began))

    async def _connection(self, numbers: Iterator[int], began: float) -> None:
        wire = Wire(self.port)
        for number in numbers:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(began + number / self.rate - now)
            request = self._request(number)
            while (answer := await wire.exchange(request)) != "204":
                self.answers[answer] += 1
                await asyncio.sleep(random.uniform(*PAUSE))
            self.answers[answer] += 1
            self.accepted.add(number)
        wire.close()

    def _request(self, number: int) -> bytes:
        body = HIT % (PREFIX + b"%08d" % number)
        return (
            b"POST /track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Authorization: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self.authorization, len(body), body)
        )


class Wire:
    """A keep-alive connection, opened anew after anything but a 204."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> str:
        """The answer's status, or in words why there was none."""
        try:
            status = await asyncio.wait_for(self._exchange(request), PATIENCE)
        except TimeoutError:
            status = "no answer in time"
        except (OSError, asyncio.IncompleteReadError):
            status = "no connection"
        if status != "204":
            self.close()
        return status

    async def _exchange(self, request: bytes) -> str:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(request)
        return (await reader.readuntil(b"\r\n\r\n"))[9:12].decode()

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None
