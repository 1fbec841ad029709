"""Who may send: HTTP Basic with an API token as the user name, and the other keys that name a
token.

In: a header, a project id or a path. Out: the TokenAccess of a usable token, cached for a few
seconds.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tracking import process
from tracking.conf import conf
from tracking.connection import OwnConnection
from tracking.ingest.auth.known_tokens import KnownTokens
from tracking.ingest.errors import Unauthorized, Unavailable
from tracking.ingest.write import fanout
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.deferred import wait_if_allowed
from tracking.ingest.write.spool.spool import is_postgres_away
from tracking.models.tokens.api_token import digest_of
from tracking.models.tokens.token import MAX_PATH
from tracking.sql import load


@dataclass(frozen=True, slots=True)
class TokenAccess:
    """What the hot path knows of a usable token. `public` if its key is no secret; `origins` are
    then the sites that may use it."""

    token_id: int
    rate_limit: int | None
    ip_policy: str
    origins: tuple[str, ...]
    public: bool


#: The key that names a token. For an API token its digest, which has 32 bytes. No other kind of key
#: has 32 bytes, so a digest can never be mistaken for one.
Key = bytes

DIGEST_SIZE = 32
PROJECT, PATH = b"project:", b"path:"
NO_REQUEST: Mapping[str, Any] = {}


def key_of_project(project_id: UUID) -> Key:
    return PROJECT + project_id.bytes


def key_of_path(path: str) -> Key:
    """Return the key of a first-party path. A longer text than any path is cut: it opens nothing,
    and the cache does not hold it whole."""
    return PATH + path[: MAX_PATH + 1].encode()


def key_of_write_key(write_key: str) -> Key:
    """Return the key of an SDK's write key: a project id or an API token."""
    try:
        return key_of_project(UUID(write_key))
    except ValueError:
        return digest_of(write_key.encode(errors="replace"))


SQL = load(__file__)


def look_up(connection: OwnConnection, keys: Sequence[Key]) -> list[TokenAccess | None]:
    """Return for each key the TokenAccess of the usable token that it opens, or None."""
    digests = [key for key in keys if len(key) == DIGEST_SIZE]
    public = [key for key in keys if len(key) != DIGEST_SIZE]
    projects = [UUID(bytes=key[len(PROJECT) :]) for key in public if key.startswith(PROJECT)]
    paths = [key[len(PATH) :].decode() for key in public if key.startswith(PATH)]
    parameters = {"digests": digests, "projects": projects, "paths": paths}
    tokens: dict[Key, TokenAccess] = {}
    for row in connection.execute(SQL["look_up"], parameters).fetchall():
        tokens.update(find_access(*row))
    return [tokens.get(key) for key in keys]


def find_access(
    token_id: int,
    rate_limit: int | None,
    ip_policy: str,
    origins: list[str],
    project_id: UUID,
    path: str,
    integrations: int,
    *digests: bytes | None,
) -> Iterator[tuple[Key, TokenAccess]]:
    """Return every key of a token, each with its TokenAccess."""
    fanout.note(token_id, integrations)
    secret = TokenAccess(token_id, rate_limit, ip_policy, tuple(origins), public=False)
    for digest in digests:
        if digest is not None:
            yield digest, secret
    public = replace(secret, public=True)
    yield key_of_project(project_id), public
    yield key_of_path(path), public


def touch(connection: OwnConnection, found: Sequence[TokenAccess | Exception | None]) -> None:
    """Note the tokens as used."""
    used = {opened.token_id for opened in found if isinstance(opened, TokenAccess)}
    if used:
        connection.execute(SQL["touch"], {"tokens": sorted(used)})


known_tokens = KnownTokens(SQL["known"], find_access)
process.on_forget(known_tokens.clear)
process.after_fork(known_tokens.clear)


class TokenCache:
    """TokenAccess by key for a few seconds; unknown keys too, so that a flood of them costs no
    queries.

    Known and unknown keys are kept apart: a flood of unknown keys evicts no known one.
    """

    def __init__(self) -> None:
        self._group: BatchThread[Key, TokenAccess | None] = BatchThread(
            "hitstream-tokens", look_up, touch
        )
        self.drain = self._group.drain
        self.clear()

    def clear(self) -> None:
        self._known: dict[Key, tuple[float, TokenAccess | None]] = {}
        self._unknown: dict[Key, tuple[float, TokenAccess | None]] = {}

    def get(self, key: Key, environ: Mapping[str, Any] = NO_REQUEST) -> TokenAccess | None:
        """Return the access that the key opens, None for an unknown key. Raises Unavailable if the
        database does not answer, NeedsThread if the request of this environ must not wait."""
        now = time.monotonic()
        cached = self._known.get(key) or self._unknown.get(key)
        if cached is not None and now < cached[0]:
            return cached[1]
        found: TokenAccess | None
        if is_postgres_away() and known_tokens.is_there():
            found = known_tokens.find_or_refuse(key)
        else:
            wait_if_allowed(environ)
            found = self._look_up(key)
        fresh, stale = (self._known, self._unknown) if found else (self._unknown, self._known)
        if len(fresh) >= conf.TOKEN_CACHE_SIZE:
            fresh.clear()
        stale.pop(key, None)
        fresh[key] = (now + conf.TOKEN_CACHE_SECONDS, found)
        return found

    def _look_up(self, key: Key) -> TokenAccess | None:
        """Return what the database, or while it is away the file of known tokens, has for the key.
        Raises Unavailable."""
        try:
            return self._group.submit(key, within=conf.LOOK_UP_DEADLINE)
        except Unavailable:
            return known_tokens.find_or_refuse(key)

    def open(self, key: Key, environ: Mapping[str, Any]) -> TokenAccess:
        """Return what `get` returns. Raises Unauthorized for a key that opens nothing."""
        found = self.get(key, environ)
        if found is None:
            raise Unauthorized(
                "token_invalid", "The API token is unknown, revoked, expired or disabled."
            )
        return found


tokens = TokenCache()
process.on_forget(tokens.clear)


def read_api_token(header: str) -> bytes:
    """Return the API token of an Authorization header. Raises Unauthorized with the reason."""
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
    def authenticate(self, request: Request) -> tuple[AnonymousUser, TokenAccess]:
        environ = request._request.META
        token = read_api_token(environ.get("HTTP_AUTHORIZATION", ""))
        return AnonymousUser(), tokens.open(digest_of(token), environ)
