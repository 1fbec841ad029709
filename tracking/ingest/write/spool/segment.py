"""A segment of the journal: a file of records, appended by one process and read once.

    file    "HITSPOOL1\\n", then records
    record  length of the text, CRC-32 of the text (both 4 bytes, little-endian), the text
    text    the arrival as JSON, as the statement `store` takes it: an array that begins with id and
            token, and holds the time of receipt

A writer that is killed leaves a torn last record, which readers leave out.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from tracking.ingest.parse.arrival import Arrival

logger = logging.getLogger(__name__)

MAGIC = b"HITSPOOL1\n"
HEAD = struct.Struct("<II")
#: A longer record is none: the length is damaged.
MAX_TEXT = 64 * 1024 * 1024
#: Linux and BSD write the data alone; macOS has no such call.
_sync = getattr(os, "fdatasync", os.fsync)


def record_of(arrival: Arrival) -> bytes:
    text = msgspec.json.encode(arrival)
    return HEAD.pack(len(text), zlib.crc32(text)) + text


class JournalSegment:
    """A segment that this process appends to. The lock on the file tells that it is alive."""

    def __init__(self, path: Path) -> None:
        """Create the file. Raises OSError."""
        draft = path.with_suffix(".new")
        self.path = path
        self._file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self.size = 0
            self.append([MAGIC])
            # Only now a reader sees it: locked, and with its first line.
            draft.rename(path)
            sync_folder(path.parent)
        except OSError:
            for each in (draft, path):
                with suppress(OSError):
                    each.unlink()
            self.close()
            raise

    def append(self, records: Sequence[bytes]) -> None:
        """Write the records to the disk. After an OSError the segment ends with the last record
        that is known to be on the disk; append nothing more to it."""
        data = b"".join(records)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            _sync(self._file)
        except OSError:
            # What the kernel could not write, it may show to readers until it is read again from
            # the disk: nothing beyond the last good record counts.
            with suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.fsync(self._file)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Close the file and give up its lock: others may read it."""
        os.close(self._file)


class SegmentReader:
    """A closed segment, or that of a dead process, locked against other readers."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self.is_exhausted = False
        #: Whether a record before the last one is damaged.
        self.is_damaged = False

    @classmethod
    def take(cls, path: Path) -> SegmentReader | None:
        """Return the reader; None while another process has the segment, or has deleted it."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return cls(path, file)

    def arrivals(self) -> Iterator[Arrival]:
        """Yield what is whole, in the order in which it was written."""
        decoder = msgspec.json.Decoder(Arrival)
        for text in self._texts():
            try:
                yield decoder.decode(text)
            except msgspec.MsgspecError as error:
                self.is_damaged = True
                logger.error("%s: a record is left out: %s", self.path, error)
        self.is_exhausted = True

    def _texts(self) -> Iterator[bytes]:
        """Yield the texts whose checksums are right. What no whole record follows is a torn tail:
        only a record before others can be damaged."""
        bad = 0 if self._file.read(len(MAGIC)) == MAGIC else 1
        while len(head := self._file.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            text = self._file.read(length) if 0 < length <= MAX_TEXT else b""
            if not text or len(text) < length:
                break
            if zlib.crc32(text) != checksum:
                bad += 1
                continue
            if bad:
                self.is_damaged = True
                logger.error("%s: %s damaged records are left out", self.path, bad)
                bad = 0
            yield text

    def remove(self) -> None:
        """Delete the segment; one with damage is kept under another name for an operator."""
        if self.is_damaged:
            self.path.rename(self.path.with_suffix(".damaged"))
        else:
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        self._file.close()


def sync_folder(folder: Path) -> None:
    """Write the names in the folder to the disk: else a crash may take a new file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
