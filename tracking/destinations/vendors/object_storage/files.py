"""Files: rows in, bytes out, and back to the ids. The same rows give the same bytes."""

from __future__ import annotations

import base64
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from tracking.destinations.contract.non_http import need
from tracking.destinations.spec.rows import COLUMNS, TIMES, lines, row
from tracking.events import Event
from tracking.exceptions import SetupError

#: The key of the rows' ids in the footer of a Parquet file: 16 bytes each, in base64.
IDS = b"hitstream.ids"
#: Bytes of the rows of a file and of one of them, the number of rows, and bytes of the part that is
#: unpacked at once: at most.
MAX_ROW = 4_000_000
MAX_ROWS = 10_000
MAX_UNPACKED = 128_000_000
CHUNK = 65_536
ENDINGS = {"ndjson": "ndjson.gz", "parquet": "parquet"}
HEADERS = {
    "ndjson": {"Content-Type": "application/gzip"},
    "parquet": {"Content-Type": "application/vnd.apache.parquet"},
}


def check(format: str) -> None:
    """Raise SetupError if the format cannot be written."""
    if format == "parquet":
        need("pyarrow.parquet", "parquet")


def pack(format: str, events: Sequence[Event]) -> bytes:
    """Return the bytes of the file. In Parquet times are timestamps in UTC and `payload` is JSON as
    text."""
    if format == "ndjson":
        return gzip.compress(lines(events), mtime=0)
    arrow, parquet = need("pyarrow", "parquet"), need("pyarrow.parquet", "parquet")
    instant = arrow.timestamp("us", tz="UTC")
    schema = arrow.schema(
        [(name, instant if name in TIMES else arrow.string()) for name in COLUMNS]
    )
    target = io.BytesIO()
    known = base64.b64encode(b"".join(event.id.bytes for event in events))
    schema = schema.with_metadata({IDS: known})
    table = arrow.Table.from_pylist([flat(event) for event in events], schema=schema)
    parquet.write_table(table, target, compression="zstd")
    return target.getvalue()


def flat(event: Event) -> dict[str, Any]:
    values = row(event)
    payload = msgspec.json.encode(values["payload"]).decode()
    return {**values, "id": str(values["id"]), "payload": payload}


def ids(ending: str, data: bytes) -> set[str]:
    """Return the ids of the rows in the file. Raises SetupError if it is not a file of ours."""
    try:
        if ending == ENDINGS["ndjson"]:
            found = (str(msgspec.json.decode(line)["id"]) for line in unpacked_lines(data))
            return few(found)
        return few(footer_ids(data))
    except SetupError:
        raise
    except Exception as error:
        raise SetupError(
            f"A file of the folder cannot be read ({type(error).__name__}): Hitstream has not"
            " written it. Move it to another folder."
        ) from None


def few(found: Iterator[str]) -> set[str]:
    """Return the ids. Raises SetupError for more than MAX_ROWS."""
    known = set(islice(found, MAX_ROWS + 1))
    if len(known) > MAX_ROWS:
        raise SetupError(f"A file of the folder has more than {MAX_ROWS:,} rows.")
    return known


def unpacked_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of the gzipped file, part by part. Raises SetupError for more than
    MAX_UNPACKED bytes."""
    inflater, size, rest = zlib.decompressobj(wbits=31), 0, b""
    while not inflater.eof:
        part = inflater.decompress(data, CHUNK)
        data = inflater.unconsumed_tail
        size += len(part)
        if size > MAX_UNPACKED:
            raise SetupError(f"A file of the folder unpacks to more than {MAX_UNPACKED:,} bytes.")
        if not part and not data:
            raise EOFError
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_ROW:
            raise SetupError(f"A file of the folder has a row of more than {MAX_ROW:,} bytes.")
        yield from lines
    if rest:
        yield rest


def footer_ids(data: bytes) -> Iterator[str]:
    """Yield the ids in the footer of the Parquet file, for which no column is unpacked."""
    parquet = need("pyarrow.parquet", "parquet")
    packed = base64.b64decode(parquet.read_metadata(io.BytesIO(data)).metadata[IDS])
    for place in range(0, len(packed), 16):
        yield str(UUID(bytes=packed[place : place + 16]))
