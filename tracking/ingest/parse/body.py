"""The request's body as bytes, never more in memory than the limit allows."""

from __future__ import annotations

import zlib
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
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise UnsupportedMediaType(
            "encoding_unsupported", f"Content-Encoding {encoding[:50]!r}: send gzip or none."
        )
    return unpack(body, limit)


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
    unpacker = zlib.decompressobj(GZIP)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest("encoding_invalid", "The body is not valid gzip.") from None
    if len(unpacked) > limit:
        raise too_large(f"inflates to more than {limit:,} bytes", limit)
    if not unpacker.eof or unpacker.unused_data:
        raise BadRequest(
            "encoding_invalid", "The gzip body is not complete, or holds more than one."
        )
    return unpacked


def too_large(what: str, limit: int) -> BadRequest:
    return BadRequest("body_too_large", f"The body {what}; the limit is {limit:,}.")
