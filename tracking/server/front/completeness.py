"""Whether a chunked body is whole, where the server cannot tell.

Granian reports a trailer (RFC 9112, section 7.1.2) and HTTP/2's empty last frame as it reports a
connection that broke: by an empty chunk. JSON and gzip show their own end, lines do not.
"""

import msgspec

from tracking.ingest.errors import IngestError
from tracking.ingest.parse.body import BOM, GZIP_ENCODINGS, LINE_TYPES, unpack
from tracking.server.front.granian_types import Scope


def is_whole(content: bytes, scope: Scope, limit: int) -> bool:
    """Return whether the content is one complete JSON document, gzip or not, of at most `limit`
    bytes."""
    headers = scope.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() in LINE_TYPES:
        return False
    try:
        if headers.get("content-encoding", "").strip().lower() in GZIP_ENCODINGS:
            content = unpack(content, limit)
        msgspec.json.decode(content.removeprefix(BOM))
    except (IngestError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
