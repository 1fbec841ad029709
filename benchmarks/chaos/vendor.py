"""A vendor with moods: 200 after some milliseconds, now and then 503, now and then nothing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict

from benchmarks.chaos.client import PREFIX
from benchmarks.sink import OK, UNAVAILABLE

LATENCY = (0.001, 0.030)
#: The share of requests answered 503, and of those never answered.
FAILING, SILENT = 0.01, 0.002
DIGITS = 8
NAME = b"webhook-id: "


class Vendor:
    """`received` counts what was answered 200, by the hit's number; `names` are the idempotency ids
    that each came with, whatever was answered."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.received: Counter[int] = Counter()
        self.names: defaultdict[int, set[bytes]] = defaultdict(set)
        self.moods: Counter[str] = Counter()

    def take(self, request: bytes, transport: asyncio.Transport) -> None:
        at = request.index(PREFIX) + len(PREFIX)
        number = int(request[at : at + DIGITS])
        at = request.lower().index(NAME) + len(NAME)
        self.names[number].add(request[at : request.index(b"\r", at)])
        mood = self.random.random()
        if mood < SILENT:
            self.moods["nothing"] += 1
            return
        failing = mood < SILENT + FAILING
        self.moods["503" if failing else "200"] += 1
        if not failing:
            self.received[number] += 1
        answer = UNAVAILABLE if failing else OK
        delay = self.random.uniform(*LATENCY)
        asyncio.get_running_loop().call_later(delay, self._answer, transport, answer)

    def _answer(self, transport: asyncio.Transport, answer: bytes) -> None:
        if not transport.is_closing():
            transport.write(answer)
