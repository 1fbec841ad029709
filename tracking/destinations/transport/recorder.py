"""The record of a request: the request and its response in, a Transcript without secrets out.

Bodies are cut at 16 KiB and header values at 1 KiB, with a note at the cut. The result can be
stored as Postgres text: no NUL, no lone surrogate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, urlsplit

from tracking.destinations.transport.request import Request
from tracking.events import Transcript

MASK = "••••"
BODY_LIMIT = 16_384
HEADER_LIMIT = 1_024
#: Secrets shorter than this are masked only in secret headers and query parameters: elsewhere they
#: would mask half the record.
SHORTEST_SECRET = 4

SECRET_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
    }
)
SECRET_QUERY = frozenset(
    {"access_token", "api_key", "api_secret", "apikey", "auth", "key", "password", "secret"}
    | {"sig", "signature", "token"}
)


class Recorder:
    """A writer of Transcripts of one request, with its secrets masked."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.secrets = sorted(_spellings(request.secrets), key=len, reverse=True)
        self.url = cut(self.mask_url(request.url), 4 * HEADER_LIMIT)

    def write(self, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Transcript:
        """Return the Transcript of the request and its response, as far as it arrived."""
        return Transcript(
            method=self.request.method,
            url=self.url,
            request_headers=self.mask_headers(self.request.headers),
            request_body=self.keep(self.request.body),
            response_headers=self.mask_headers(headers or {}),
            response_body=self.keep(body),
        )

    def keep(self, body: bytes) -> str:
        return cut(self.mask(body.decode("utf-8", "replace")), BODY_LIMIT)

    def mask(self, text: str) -> str:
        """Return the text with the request's secrets masked in every spelling."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return printable(text)

    def mask_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            printable(name): cut(self.mask_header(name.lower(), value), HEADER_LIMIT)
            for name, value in headers.items()
        }

    def mask_header(self, name: str, value: str) -> str:
        if name in SECRET_HEADERS | {secret.lower() for secret in self.request.secret_headers}:
            return MASK
        return self.mask_url(value) if name == "location" else self.mask(value)

    def mask_url(self, url: str) -> str:
        """Return the URL with user, password and the values of its secret parameters masked."""
        # Mask whole secrets first: the other replacements would change a URL that is itself a
        # secret.
        url = re.sub(r"(?<=//)[^/?#]*@", MASK + "@", self.mask(url), count=1)
        secret = SECRET_QUERY | {name.lower() for name in self.request.secret_query}

        def blot(pair: re.Match[str]) -> str:
            return f"{pair[1]}={MASK}" if pair[1].lower() in secret else pair[0]

        head, mark, query = url.partition("?")
        return self.mask(head + mark + re.sub(r"([^&=#]+)=([^&#]*)", blot, query))


def printable(text: str) -> str:
    """Return the text with NUL and lone surrogates replaced, which Postgres cannot store."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def cut(text: str, limit: int) -> str:
    """Return at most `limit` bytes of the text, and a note if it was longer."""
    data = text.encode()
    if len(data) <= limit:
        return text
    return f"{data[:limit].decode(errors='ignore')}… (cut at {limit:,} of {len(data):,} bytes)"


def host_of(url: str) -> str:
    """Return the host of the URL for a message; the URL itself if it has none."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _spellings(secrets: Iterable[str]) -> set[str]:
    return {
        spelling
        for secret in secrets
        if len(secret) >= SHORTEST_SECRET
        for spelling in (
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            quote(secret, safe=""),
            quote_plus(secret),
        )
    }
