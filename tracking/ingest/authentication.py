"""HTTP Basic with an API token as the user name and an empty password.

In: the Authorization header. Out: the Pass of a usable token, remembered for a few seconds.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tracking.conf import conf
from tracking.ingest.connection import Connection
from tracking.ingest.errors import Unauthorized
from tracking.ingest.group import Group
from tracking.models.token import digest_of

#: Longer than a request takes to its authentication, in seconds.
MOMENT = 0.1


@dataclass(frozen=True, slots=True)
class Pass:
    """What the hot path knows of a usable token."""

    token_id: int
    rate_limit: int | None


LOOK_UP = """
    SELECT id, rate_limit, digest, CASE WHEN retiring_until > now() THEN retiring_digest END
    FROM tracking_token
    WHERE (digest = ANY(%(digests)s) OR retiring_digest = ANY(%(digests)s))
      AND enabled AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""
TOUCH = """
    UPDATE tracking_token SET last_used_at = now() WHERE id IN (
        SELECT id FROM tracking_token
        WHERE id = ANY(%s) AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
        FOR UPDATE SKIP LOCKED
    )
"""


def look_up(connection: Connection, digests: Sequence[bytes]) -> list[Pass | None]:
    """For each digest the Pass of the usable token that it opens, or None."""
    rows = connection.execute(LOOK_UP, {"digests": list(digests)}).fetchall()
    passes: dict[bytes, Pass] = {}
    for token_id, rate_limit, digest, retiring_digest in rows:
        opened = Pass(token_id, rate_limit)
        passes[digest] = opened
        if retiring_digest is not None:
            passes[retiring_digest] = opened
    return [passes.get(digest) for digest in digests]


def touch(connection: Connection, found: Sequence[Pass | Exception | None]) -> None:
    """The tokens are noted as used."""
    used = {opened.token_id for opened in found if isinstance(opened, Pass)}
    if used:
        connection.execute(TOUCH, [sorted(used)])


class PassCache:
    """Passes by digest for a few seconds; unknown digests too, so that a flood costs no queries.

    The two are kept apart: a flood of unknown tokens evicts no known one.
    """

    def __init__(self) -> None:
        self._group: Group[bytes, Pass | None] = Group("hitstream-tokens", look_up, touch)
        self.drain = self._group.drain
        self.clear()

    def clear(self) -> None:
        self._known: dict[bytes, tuple[float, Pass | None]] = {}
        self._unknown: dict[bytes, tuple[float, Pass | None]] = {}

    def get(self, digest: bytes) -> Pass | None:
        """Raises Unavailable where the database cannot tell."""
        now = time.monotonic()
        cached = self._known.get(digest) or self._unknown.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        found = self._group.submit(digest, within=conf.LOOK_UP_DEADLINE)
        fresh, stale = (self._known, self._unknown) if found else (self._unknown, self._known)
        if len(fresh) >= conf.TOKEN_CACHE_SIZE:
            fresh.clear()
        stale.pop(digest, None)
        fresh[digest] = (now + conf.TOKEN_CACHE_SECONDS, found)
        return found

    def is_quick(self, digest: bytes) -> bool:
        """Whether `get` will answer from memory, now and for the next moments."""
        cached = self._known.get(digest) or self._unknown.get(digest)
        if cached is None or time.monotonic() > cached[0] - MOMENT:
            return False
        return cached[1] is None or cached[1].rate_limit is None


passes = PassCache()


def answers_at_once(environ: Mapping[str, Any]) -> bool:
    """Whether an ingest request waits for nothing but its commit: neither for a token to be looked
    up nor for a rate limit to be counted."""
    try:
        return passes.is_quick(digest_of(api_token(environ.get("HTTP_AUTHORIZATION", ""))))
    except Unauthorized:
        return True


def api_token(header: str) -> bytes:
    """The API token of an Authorization header; raises Unauthorized with the reason."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized(
            "token_missing", "Send the API token as the user name of HTTP Basic, no password."
        )
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Unauthorized("token_malformed", "The credentials are not valid base64.") from None
    token, colon, password = decoded.partition(b":")
    if not token or not colon or password:
        raise Unauthorized(
            "token_malformed",
            "The credentials must be the API token and a colon: the password is empty.",
        )
    return token


class BasicTokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[AnonymousUser, Pass]:
        found = passes.get(
            digest_of(api_token(request._request.META.get("HTTP_AUTHORIZATION", "")))
        )
        if found is None:
            raise Unauthorized(
                "token_invalid", "The API token is unknown, revoked, expired or disabled."
            )
        return AnonymousUser(), found
