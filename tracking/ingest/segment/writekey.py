"""The write key of an SDK: in Basic, else in the body, else in the query.

It is a token's project id, which a page may show, or its API token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from tracking.ingest.auth.authentication import Key, key_of_write_key, read_api_token
from tracking.ingest.errors import Unauthorized
from tracking.ingest.segment.query import query_value


def header_key(request: HttpRequest) -> Key | None:
    """Return the key of Authorization or of Jitsu's X-Write-Key; None without either. Raises
    Unauthorized for a malformed one."""
    header = request.META.get("HTTP_AUTHORIZATION")
    if header:
        return key_of_write_key(read_api_token(header).decode(errors="replace"))
    jitsu = request.META.get("HTTP_X_WRITE_KEY")
    return key_of_write_key(last_part(jitsu)) if jitsu else None


def last_part(jitsu: str) -> str:
    """Return the secret of `key:secret`, or the `key` alone."""
    key, _, secret = jitsu.partition(":")
    return secret or key


def other_key(request: HttpRequest, body: Mapping[str, Any]) -> Key:
    """Return the key of the body or the query. Raises Unauthorized without one."""
    found = body.get("writeKey") or query_value(request, "writeKey")
    if not found or not isinstance(found, str):
        raise Unauthorized(
            "token_missing",
            "Send the write key, a project id or an API token, as the user name of HTTP Basic, "
            "as `writeKey` in the body, or as ?writeKey=.",
        )
    return key_of_write_key(found)
