"""Files: rows in, bytes out, and back to the ids. The same rows give the same bytes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from typing import Any

import msgspec

from tracking.destinations.contract.non_http import need
from tracking.destinations.spec.rows import COLUMNS, TIMES, lines, row
from tracking.events import Event

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
    table = arrow.Table.from_pylist([flat(event) for event in events], schema=schema)
    parquet.write_table(table, target, compression="zstd")
    return target.getvalue()


def flat(event: Event) -> dict[str, Any]:
    values = row(event)
    payload = msgspec.json.encode(values["payload"]).decode()
    return {**values, "id": str(values["id"]), "payload": payload}


def ids(ending: str, data: bytes) -> set[str]:
    """Return the ids of the rows in the file."""
    if ending == ENDINGS["ndjson"]:
        return {msgspec.json.decode(line)["id"] for line in gzip.decompress(data).splitlines()}
    parquet = need("pyarrow.parquet", "parquet")
    column = parquet.read_table(io.BytesIO(data), columns=["id"])["id"]
    return set(column.to_pylist())
