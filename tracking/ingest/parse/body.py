"""The request's body as bytes, never more in memory than the limit allows."""

from __future__ import annotations

import zlib
from gzip import BadGzipFile, GzipFile
from io import BytesIO
from typing import BinaryIO, cast

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from tracking.ingest.errors import BadRequest, UnsupportedMediaType

#: Bytes: the contract's "64kb per call", also for each hit of a batch.
MAX_BODY = 65_536
#: An event of an SDK: the largest hit of the public API fits with what another server adds when it
#: forwards the hit in Segment's shape: names, ids, times, address and user agent.
MAX_EVENT = MAX_BODY + 8 * 1024
#: Segment's limit for a batch, in bytes.
MAX_BATCH = 500 * 1024
#: The types of a body with a JSON document in each line.
LINE_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
GZIP_ENCODINGS = frozenset({"gzip", "x-gzip"})
#: The key in the environ of the body that was read, for a sample of a refused request.
BODY = "hitstream.body"
#: Some runtimes write it before their JSON; a reader may ignore it (RFC 8259, section 8.1).
BOM = b"\xef\xbb\xbf"
#: zlib's window argument for a gzip header and trailer.
GZIP = 31


def read(request: HttpRequest, limit: int) -> bytes:
    """Return the whole body, decompressed. Raises BadRequest or UnsupportedMediaType.

    A body that announces more than the limit is not read; any other is read to one byte past the
    limit.
    """
    announced = announced_length(request)
    if announced > limit:
        raise too_large(f"is {announced:,} bytes", limit)
    try:
        body = stream(request).read(limit + 1)
    except (UnreadablePostError, OSError):
        raise BadRequest("body_unreadable", "The body ended before it was complete.") from None
    if len(body) > limit:
        raise too_large(f"is more than {limit:,} bytes", limit)
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    request.META[BODY] = body
    if encoding in {"", "identity"}:
        return body.removeprefix(BOM)
    if encoding not in GZIP_ENCODINGS:
        raise UnsupportedMediaType(
            "encoding_unsupported", f"Content-Encoding {encoding[:50]!r}: send gzip or none."
        )
    request.META[BODY] = body = unpack(body, limit)
    return body.removeprefix(BOM)


def announced_length(request: HttpRequest) -> int:
    """Return the announced bytes; 0 for none and for nonsense, as Django does."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def stream(request: HttpRequest) -> BinaryIO:
    """Return the stream to read. Django reads nothing without an announced length; a chunked body
    marks its own end, if the server vouches for that."""
    meta = request.META
    if meta.get("wsgi.input_terminated") and not meta.get("CONTENT_LENGTH"):
        return cast(BinaryIO, meta["wsgi.input"])
    return cast(BinaryIO, request)


def unpack(body: bytes, limit: int) -> bytes:
    """Return the content of the gzip members (RFC 1952, section 2.2), at most `limit` bytes. Raises
    BadRequest."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
        if unpacker.unused_data:
            # More members, or padding. GzipFile reads them in pieces: at each member zlib copies
            # all that follows.
            unpacked = GzipFile(fileobj=BytesIO(body)).read(limit + 1)
    except EOFError:
        raise incomplete_gzip() from None
    except (zlib.error, BadGzipFile):
        raise BadRequest("encoding_invalid", "The body is not valid gzip.") from None
    if len(unpacked) > limit:
        raise too_large(f"inflates to more than {limit:,} bytes", limit)
    if not unpacker.eof:
        raise incomplete_gzip()
    return unpacked


def incomplete_gzip() -> BadRequest:
    return BadRequest("encoding_invalid", "The gzip body is not complete.")


def too_large(what: str, limit: int) -> BadRequest:
    return BadRequest("body_too_large", f"The body {what}; the limit is {limit:,}.")
