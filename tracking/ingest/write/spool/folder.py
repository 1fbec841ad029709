"""The spool's folder on this node: its segments, their bytes, and who keeps it.

<uuid7>-<pid>.hits   a segment; locked while its writer lives, with a shared lock while it is read
unstorable.hits      hits that Postgres refused, for an operator: in the form of a segment
tokens.json          the known tokens
folder.lock          held while a segment is created
keeper.lock          held by the process that keeps the spool
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from uuid_utils.compat import uuid7

from tracking.ingest.write.spool.segment import MAGIC, JournalSegment, sync_folder

SUFFIX = ".hits"
UNSTORABLE = "unstorable.hits"
#: The largest segment; a small spool has smaller ones.
SEGMENT_BYTES = 8 * 1024 * 1024
#: A segment is at most this part of the spool.
PARTS = 16


class SpoolFull(OSError):
    """The spool has reached SPOOL_BYTES."""


class Folder:
    def __init__(self, path: str, limit: int) -> None:
        """Create the folder if there is none. Raises OSError."""
        self.path = Path(path)
        self.limit = limit
        self.segment_bytes = min(SEGMENT_BYTES, limit // PARTS)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, size: int = 0) -> JournalSegment:
        """Create a segment with room for a record of `size` bytes. Raises SpoolFull or OSError."""
        with self._locked():
            if not self.has_room(size):
                raise SpoolFull(f"the spool has reached its limit of {self.limit:,} bytes")
            return JournalSegment(self.path / f"{uuid7().hex}-{os.getpid()}{SUFFIX}")

    def has_room(self, size: int = 0) -> bool:
        """Return whether there is room for one more segment, with a record of `size` bytes. A
        segment that is written to counts as a whole: it will grow."""
        room = self.limit - self._reserved()
        return room >= max(self.segment_bytes, size + len(MAGIC))

    def segments(self) -> list[Path]:
        """Return the segments, the oldest first."""
        found = (each for each in self.path.glob(f"*-*{SUFFIX}"))
        return sorted(found, key=lambda path: path.name)

    def _reserved(self) -> int:
        return sum(max(size_of(each), self.reserve_of(each)) for each in self.segments())

    def reserve_of(self, path: Path) -> int:
        """Return the bytes that a segment may grow to: none unless a living process writes it. A
        reader's lock is a shared one."""
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self.segment_bytes
        return 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / "folder.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def keep(self) -> BinaryIO | None:
        """Return the keeper's lock, held until it is closed; None while another process has it."""
        file = (self.path / "keeper.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file


def keep(path: Path, records: Sequence[bytes]) -> None:
    """Append the records to a file like a segment, on the disk when this returns. Raises
    OSError."""
    file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        is_new = not os.fstat(file).st_size
        rest = memoryview(b"".join([MAGIC, *records] if is_new else records))
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)
    if is_new:
        sync_folder(path.parent)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def age_of(path: Path) -> float:
    """Return the seconds since the segment was created, which is when its first hit came."""
    milliseconds = int(path.name[:12], 16)
    return max(0.0, time.time() - milliseconds / 1000)
