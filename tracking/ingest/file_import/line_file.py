"""A text file, gzip or not, read line by line in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

from tracking.ingest.parse.body import BOM, MAX_BODY

#: Only the beginning of a longer line is kept: the line is too long for a hit in any case.
MAX_LINE = 2 * MAX_BODY
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line; `number` counts from 1, as in editors."""

    number: int
    text: bytes


class FileChanged(Exception):
    """The file changed while it was read."""


class LineFile:
    """The file, open. Raises OSError; EOFError or zlib.error for a broken gzip file."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb")
        self._opened = self._state()
        zipped = self._raw.peek(2)[:2] == GZIP_MAGIC
        self._lines = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw) if zipped else self._raw)

    def digest(self) -> bytes:
        """Return the SHA-256 of the file on disk. Call it before the first line is read."""
        self._raw.seek(0)
        found = hashlib.file_digest(self._raw, "sha256").digest()
        self._raw.seek(0)
        return found

    def check(self) -> None:
        """Raise FileChanged if the file was written to since it was opened."""
        if self._state() != self._opened:
            raise FileChanged

    def _state(self) -> tuple[int, int]:
        found = os.fstat(self._raw.fileno())
        return found.st_size, found.st_mtime_ns

    @property
    def position(self) -> int:
        """How many bytes of the file on disk are read."""
        return self._raw.tell()

    def after(self, done: int, count: int) -> Iterator[list[FileLine]]:
        """Yield the lines after the first `count`, in lists of `size`."""
        numbered = islice(enumerate(self._read(), start=1), done, None)
        while lines := [FileLine(number, text) for number, text in islice(numbered, count)]:
            yield lines

    def _read(self) -> Iterator[bytes]:
        first = True
        while line := self._lines.readline(MAX_LINE):
            end = line
            while len(end) == MAX_LINE and not end.endswith(b"\n"):
                end = self._lines.readline(MAX_LINE)
            yield line.removeprefix(BOM) if first else line
            first = False

    def close(self) -> None:
        self._lines.close()
        self._raw.close()
