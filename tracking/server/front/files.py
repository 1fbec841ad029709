"""A file as an answer: granian reads it, no more at once than the client takes."""

import os
import stat
from collections.abc import Iterator
from typing import Any


class FileWrapper:
    """What WSGI calls `wsgi.file_wrapper` (PEP 3333): the application hands over a file."""

    def __init__(self, file: Any, block_size: int = 8192) -> None:
        self._file = file
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(self._block_size):
            yield block

    def close(self) -> None:
        self._file.close()

    @property
    def span(self) -> tuple[str, int, int] | None:
        """Path, first byte and end of what is to be sent of a file on disk; None for any other.

        WhiteNoise wraps the file of a range in an object with `fileobj` and `remaining`.
        """
        file = getattr(self._file, "fileobj", self._file)
        try:
            found = os.fstat(file.fileno())
            start = file.tell()
        except (AttributeError, OSError, ValueError):
            return None
        if not (isinstance(file.name, str) and stat.S_ISREG(found.st_mode)):
            return None
        end = start + getattr(self._file, "remaining", found.st_size - start)
        return os.path.abspath(file.name), start, end
