"""A segment of the journal: a file of records, appended by one process and read once.

    file    "HITSPOOL1\\n", then records
    record  length of the text, CRC-32 of the text (both 4 bytes, little-endian), the text
    text    the arrival as JSON, as the statement `store` takes it: an array that begins with id and
            token, and holds the time of receipt

A writer that is killed leaves a torn last record, which readers leave out: a head or a text that
is cut short, or zeros. Anything else that is no record is damage: it is logged, and the reading
goes on with the next whole record, wherever it begins.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

import msgspec

from tracking.ingest.parse.arrival import Arrival

logger = logging.getLogger(__name__)

MAGIC = b"HITSPOOL1\n"
HEAD = struct.Struct("<II")
#: A longer record is none: the length is damaged.
MAX_TEXT = 64 * 1024 * 1024
#: How a text begins: the array, and the id as a string.
TEXT_BEGINS = b'["'
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
        # What counts is on the disk already, and the file is closed whatever the disk says.
        with suppress(OSError):
            os.close(self._file)


class SegmentReader:
    """A closed segment, or that of a dead process, locked against other readers."""

    def __init__(self, path: Path, file: BufferedReader) -> None:
        self.path = path
        self._file = file
        self.is_exhausted = False
        #: Whether the disk failed before the end: another reader has to begin again.
        self.has_failed = False
        #: Whether anything but a torn tail is left out.
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
            # It still excludes other readers, which begin with an exclusive lock, and tells the
            # folder that the segment grows no more.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return cls(path, file)

    def arrivals(self) -> Iterator[Arrival]:
        """Yield what is whole, in the order in which it was written, from the first record on."""
        decoder = msgspec.json.Decoder(Arrival)
        try:
            for text in self._texts():
                try:
                    yield decoder.decode(text)
                except msgspec.MsgspecError as error:
                    self.is_damaged = True
                    logger.error("%s: a record is left out: %s", self.path, error)
        except OSError as error:
            self.has_failed = True
            logger.error("%s cannot be read; it is tried again: %s", self.path, error)
        else:
            self.is_exhausted = True

    def _texts(self) -> Iterator[bytes]:
        """Yield the texts whose checksums are right. Raises OSError."""
        self._file.seek(0)
        is_segment = self._file.read(len(MAGIC)) == MAGIC
        at = len(MAGIC) if is_segment else self._next_record(0)
        while at is not None:
            self._file.seek(at)
            if text := self._read_text():
                yield text
                at += HEAD.size + len(text)
            else:
                at = self._next_record(at)

    def _read_text(self) -> bytes:
        """Return the text of the record at this place; empty if it is none."""
        head = self._file.read(HEAD.size)
        if len(head) < HEAD.size:
            return b""
        length, checksum = HEAD.unpack(head)
        text = self._file.read(length) if length <= MAX_TEXT else b""
        return text if len(text) == length and zlib.crc32(text) == checksum else b""

    def _next_record(self, at: int) -> int | None:
        """Return where the first whole record behind `at` begins, where none does; None if there is
        no other. What is left out is logged, unless it is a torn tail."""
        self._file.seek(at)
        rest = self._file.read()
        skipped = find_record(rest)
        if skipped is None and is_torn(rest):
            return None
        self.is_damaged = True
        lost = len(rest) if skipped is None else skipped
        logger.error("%s is damaged: %s bytes from byte %s are left out", self.path, lost, at)
        return None if skipped is None else at + skipped

    def remove(self) -> None:
        """Delete the segment; one with damage is kept under another name for an operator."""
        if self.is_damaged:
            self.path.rename(self.path.with_suffix(".damaged"))
        else:
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        """Close the file of another process, after a fork: a thread that is not there any more may
        hold the lock of its buffer."""
        self._file.raw.close()


def find_record(data: bytes) -> int | None:
    """Return where the first whole record begins. A sender cannot make one: the head has a byte
    that no JSON has."""
    begin = data.find(TEXT_BEGINS, HEAD.size)
    while begin >= 0:
        length, checksum = HEAD.unpack_from(data, begin - HEAD.size)
        end = begin + length
        if length and end <= len(data) and zlib.crc32(data[begin:end]) == checksum:
            return begin - HEAD.size
        begin = data.find(TEXT_BEGINS, begin + 1)
    return None


def is_torn(rest: bytes) -> bool:
    """Return whether this is the end of a segment whose writer was killed, or whose disk lost its
    power: cut short, perhaps with zeros in place of what is missing."""
    rest = rest.rstrip(b"\0")
    if len(rest) < HEAD.size:
        return True
    length: int
    length, checksum = HEAD.unpack_from(rest)
    text = rest[HEAD.size :]
    # With the right checksum the text is whole, and its length is damaged.
    return len(text) < length <= MAX_TEXT and zlib.crc32(text) != checksum


def sync_folder(folder: Path) -> None:
    """Write the names in the folder to the disk: else a crash may take a new file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
