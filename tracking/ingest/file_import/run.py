"""A file of hits, one JSON object per line, into the database: `manage.py import_hits`.

In: an NDJSON file, gzip or not. Out: its FileImport, finished. While Postgres stores one chunk, the
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
from tracking.ingest.write.fanout import hits_in_statement
from tracking.models import FileImport, Token

CHUNK = 500
#: The switches of a hit that is for no integration.
NOWHERE: dict[str, dict[str, bool]] = {"names": {}, "destinations": {}, "all": {"all": False}}

Refused = Callable[[FileLine, ItemResult], object]
Progress = Callable[[int, int], object]


def begin(token: Token, path: Path, *, name: str = "") -> FileImport:
    """Return the file's FileImport: a new one, or the unfinished one. An import that stored
    nothing, for example with the wrong format, begins again. `name` replaces the file's own."""
    with closing(LineFile(path)) as file:
        digest = file.digest()
    fruitless = FileImport.objects.filter(token=token, digest=digest, stored=0, duplicate=0)
    fruitless.update(lines=0, refused=0, finished_at=None)
    found, _ = FileImport.objects.get_or_create(
        token=token, digest=digest, defaults={"name": name or path.name[-255:]}
    )
    return found


def run(
    imported: FileImport, path: Path, read: Read, *, refused: Refused, progress: Progress
) -> None:
    """Import the rest of the file: each line becomes a stored hit, a duplicate or a refusal.

    Calls `refused` with a line and its result before that is committed, and `progress` with the
    finished lines and the read bytes after each commit. Raises AlreadyImporting, FileChanged,
    OSError or EOFError for an unreadable file, and the database errors of psycopg and Django; what
    is committed by then stays.
    """
    with closing(LineFile(path)) as file, closing(ChunkWriter(imported.pk)) as writer:
        if file.digest() != bytes(imported.digest):
            raise FileChanged

        def settle(chunk: Chunk) -> None:
            for result in writer.settle(chunk):
                if result.error is not None:
                    refused(chunk.lines[result.index], result)
            # Progress is a count of lines, so the lines must still be those of this file.
            file.check()
            writer.commit()
            progress(chunk.end, chunk.position)

        before: Chunk | None = None
        for chunk in chunks(file, imported.lines, read, chunk_size(imported.token)):
            if before is not None:
                settle(before)
            writer.send(chunk)
            before = chunk
        if before is not None:
            settle(before)
    FileImport.objects.filter(pk=imported.pk).update(finished_at=timezone.now())
    imported.refresh_from_db()


def chunk_size(token: Token) -> int:
    """Return how many lines one statement stores."""
    return min(CHUNK, hits_in_statement(token.integrations.filter(enabled=True).count()))


def chunks(file: LineFile, done: int, read: Read, size: int) -> Iterator[Chunk]:
    """Yield what follows the finished lines."""
    start = done
    for lines in file.after(done, size):
        filled = [line for line in lines if line.text.strip()]
        found = read_all([line.text for line in filled], read, MAX_BODY)
        yield Chunk(start, start + len(lines), file.position, filled, found)
        start += len(lines)


def nowhere(read: Read) -> Read:
    """Keep the hits from being queued. A backfill may still queue them."""

    def read_for_nobody(body: bytes) -> Arrival:
        return msgspec.structs.replace(read(body), switches=NOWHERE)

    return read_for_nobody
