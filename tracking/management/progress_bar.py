"""The progress of a long command: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from typing import Any

WIDTH = 30
ON_TERMINAL, ELSEWHERE = 0.1, 10.0


class Bar:
    def __init__(self, stream: Any, total: int) -> None:
        """`total` is the amount that is 100%."""
        self._stream = stream
        self._total = max(1, total)
        self._terminal = bool(stream.isatty())
        self._next = 0.0

    def show(self, amount: int, text: str) -> None:
        """Show the amount and the text, at most once per interval."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (ON_TERMINAL if self._terminal else ELSEWHERE)
        self._write(amount, text)

    def finish(self, text: str) -> None:
        self._write(self._total, text)
        if self._terminal:
            self._stream.write("", str, "\n")

    def _write(self, amount: int, text: str) -> None:
        share = min(1.0, amount / self._total)
        if self._terminal:
            filled = round(share * WIDTH)
            bar = "█" * filled + "░" * (WIDTH - filled)
            self._stream.write(f"\r\033[K{bar} {share:4.0%} {text}", str, "")
            self._stream.flush()
        else:
            self._stream.write(f"{share:4.0%} {text}", str)
