"""One log of several processes: the name before every line, in colour on a terminal."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96)
WIDTH = 10


LONGEST_LINE = 65536


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield every line of the stream; a line without end is cut at 64 KiB."""
    rest = b""
    while chunk := await stream.read(LONGEST_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


class Log:
    """Writes whole lines to one stream, and goes on after a closed pipe or a full disk."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.coloured = self.stream.isatty() and not os.environ.get("NO_COLOR")
        self._names: list[str] = []

    def say(self, name: str, text: str) -> None:
        prefix = f"{name:<{WIDTH}}| "
        if self.coloured:
            prefix = f"\x1b[{self._colour(name)}m{prefix}\x1b[0m"
        with contextlib.suppress(OSError):
            for line in text.splitlines():
                self.stream.write(f"{prefix}{line}\n")
            self.stream.flush()

    def _colour(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return COLOURS[self._names.index(name) % len(COLOURS)]
