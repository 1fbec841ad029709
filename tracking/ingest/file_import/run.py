"""A file of hits, one JSON object a line, into the database: `manage.py import_hits`.

In: an NDJSON file, gzip or not. Out: its Import, finished. While Postgres stores one chunk, the
next is read and parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from django.utils import timezone

from tracking.ingest.file_import.chunk_writer import Chunk, ChunkWriter
from tracking.ingest.file_import.line_file import FileChanged, FileLine, LineFile
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.parse.body import MAX_BODY
from tracking.ingest.write.bulk import ItemResult, Read, read_all
from tracking.models import FileImport, Token

CHUNK = 500
#: What a hit that is to be delivered nowhere has for its switches.
NOWHERE: dict[str, dict[str, bool]] = {"names": {}, "destinations": {}, "all": {"all": False}}

Refused = Callable[[FileLine, ItemResult], object]
Told = Callable[[int, int], object]


def begin(token: Token, path: Path) -> FileImport:
    """The file's Import: a new one, or the one that goes on. One that stored nothing at all, as
    with the wrong format, begins again."""
    with closing(LineFile(path)) as file:
        digest = file.digest()
    fruitless = FileImport.objects.filter(token=token, digest=digest, stored=0, duplicate=0)
    fruitless.update(lines=0, refused=0, finished_at=None)
    found, _ = FileImport.objects.get_or_create(
        token=token, digest=digest, defaults={"name": path.name[-255:]}
    )
    return found


def run(imported: FileImport, path: Path, read: Read, *, refused: Refused, told: Told) -> None:
    """Every line is a stored hit or a duplicate, or was refused. `refused` is given a line and the
    result before that is committed; `told` the lines done and the bytes read, after.

    Raises AlreadyImporting, FileChanged, OSError or EOFError for a file that cannot be read to its
    end, and psycopg's and Django's database errors; what is done then stays done.
    """
    with closing(LineFile(path)) as file, closing(ChunkWriter(imported.pk)) as writer:
        if file.digest() != bytes(imported.digest):
            raise FileChanged

        def settle(chunk: Chunk) -> None:
            for result in writer.settle(chunk):
                if result.error is not None:
                    refused(chunk.lines[result.index], result)
            # What is done is told by a count of lines: they must be the lines of this file.
            file.check()
            writer.commit()
            told(chunk.end, chunk.position)

        before: Chunk | None = None
        for chunk in chunks(file, imported.lines, read):
            if before is not None:
                settle(before)
            writer.send(chunk)
            before = chunk
        if before is not None:
            settle(before)
    FileImport.objects.filter(pk=imported.pk).update(finished_at=timezone.now())
    imported.refresh_from_db()


def chunks(file: LineFile, done: int, read: Read) -> Iterator[Chunk]:
    """What comes after the lines that are done."""
    start = done
    for lines in file.after(done, CHUNK):
        filled = [line for line in lines if line.text.strip()]
        found = read_all([line.text for line in filled], read, MAX_BODY)
        yield Chunk(start, start + len(lines), file.position, filled, found)
        start += len(lines)


def nowhere(read: Read) -> Read:
    """The hits are stored and queued to nobody; a backfill may still enqueue them."""

    def read_for_nobody(body: bytes) -> Arrival:
        return msgspec.structs.replace(read(body), switches=NOWHERE)

    return read_for_nobody
