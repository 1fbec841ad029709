"""A file of hits, one JSON object a line, into the database: `manage.py import_hits`.

In: an NDJSON file, gzip or not. Out: its Import, finished. Each chunk is stored in one transaction
with the count of the lines that are done, so whatever ends an import, it goes on where it was.
While Postgres stores one chunk, the next is read and parsed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.db import connections, router, transaction
from django.db.models import F
from django.utils import timezone

from tracking.ingest.arrival import Arrival
from tracking.ingest.body import MAX_BODY
from tracking.ingest.borrowed import borrow, ring_on_commit
from tracking.ingest.errors import IngestError, Unavailable
from tracking.ingest.lines import Line, LineFile
from tracking.ingest.many import Read, Result, conclude, read_all
from tracking.ingest.store import store
from tracking.models import Import, Token

CHUNK = 500
#: What a hit that is to be delivered nowhere has for its switches.
NOWHERE: dict[str, dict[str, bool]] = {"names": {}, "destinations": {}, "all": {"all": False}}

Refused = Callable[[Line, Result], object]
Told = Callable[[int, int], object]


class AlreadyImporting(Exception):
    """Somebody else imports the same file."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of the file and what they say. `start` and `end` are how many lines are done before
    and after, `position` is how far into the file that is, in bytes."""

    start: int
    end: int
    position: int
    lines: Sequence[Line]
    found: Sequence[Arrival | IngestError]


def begin(token: Token, path: Path) -> Import:
    """The file's Import: a new one, or the one that goes on."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    found, _ = Import.objects.get_or_create(
        token=token, digest=digest, defaults={"name": path.name[-255:]}
    )
    return found


def run(imported: Import, path: Path, read: Read, *, refused: Refused, told: Told) -> None:
    """Every line is a stored hit or a duplicate, or was refused. `refused` is given a line and the
    result before that is committed; `told` the lines done and the bytes read, after.

    Raises AlreadyImporting, OSError or EOFError for a file that cannot be read to its end, and
    Django's database errors; what is done then stays done.
    """
    with ThreadPoolExecutor(1) as pool, closing(LineFile(path)) as file:
        try:
            storing: Future[None] = pool.submit(lambda: None)
            for chunk in chunks(file, imported.lines, read):
                storing.result()
                storing = pool.submit(commit, imported.pk, chunk, refused, told)
            storing.result()
        finally:
            pool.submit(connections.close_all)
    Import.objects.filter(pk=imported.pk).update(finished_at=timezone.now())
    imported.refresh_from_db()


def chunks(file: LineFile, done: int, read: Read) -> Iterator[Chunk]:
    """What comes after the lines that are done."""
    start = done
    for lines in file.after(done, CHUNK):
        filled = [line for line in lines if line.text.strip()]
        found = read_all([line.text for line in filled], read, MAX_BODY)
        yield Chunk(start, start + len(lines), file.position, filled, found)
        start += len(lines)


def commit(pk: int, chunk: Chunk, refused: Refused, told: Told) -> None:
    """The chunk is stored and its lines are done, both or neither."""
    using = router.db_for_write(Import)
    with transaction.atomic(using=using):
        imports = Import.objects.using(using).filter(pk=pk, lines=chunk.start)
        if not imports.select_for_update().exists():
            raise AlreadyImporting
        results = store_chunk(chunk)
        for result in results:
            if result.error is not None:
                refused(chunk.lines[result.index], result)
        states = [result.describe()["status"] for result in results]
        counts = {state: F(state) + states.count(state) for state in set(states)}
        imports.update(lines=chunk.end, **counts)
    told(chunk.end, chunk.position)


def store_chunk(chunk: Chunk) -> list[Result]:
    arrivals = [each for each in chunk.found if isinstance(each, Arrival)]
    outcomes = iter(store(borrow(), arrivals, ring_on_commit) if arrivals else ())
    results = list(conclude(chunk.found, outcomes))
    for result in results:
        if isinstance(result.error, Unavailable):
            raise result.error
    return results


def nowhere(read: Read) -> Read:
    """The hits are stored and owed to nobody; a backfill may still owe them."""

    def read_for_nobody(body: bytes) -> Arrival:
        return msgspec.structs.replace(read(body), switches=NOWHERE)

    return read_for_nobody
