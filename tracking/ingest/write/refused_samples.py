"""Samples of refused requests, written every few seconds beside their counts.

A flood costs little: of a token and code only the first few between two writes become samples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tracking import process
from tracking.ingest.errors import IngestError
from tracking.ingest.parse.body import BODY
from tracking.ingest.write.counter_buffer import CounterBuffer
from tracking.models import RefusedRequest

#: Samples between two writes: of one token and code, and tokens and codes.
MOST, MOST_KEYS = 5, 100
#: Characters of a text that are kept.
MOST_BODY, MOST_TEXT = 4096, 300
#: Fields of JSON whose value is a secret, in any case, and what stands in its place.
SECRET = re.compile(
    r'("[^"]*(?:secret|password|passwd|token|authorization|api_?key|write_?key)"\s*:\s*)"[^"]*"?',
    re.IGNORECASE,
)
MASK = r'\1"••••"'

Samples = tuple[RefusedRequest, ...]


class RefusedSamples(CounterBuffer[tuple[int, str], Samples]):
    name = "hitstream-refused-samples"

    def note(
        self,
        token_id: int,
        error: IngestError,
        environ: Mapping[str, Any],
        body: bytes | None = None,
    ) -> None:
        """Keep the request as a sample, if there are not enough of its kind. `body` is the refused
        hit of a batch; by default the body of the request as far as it was read."""
        key = token_id, error.code
        if len(self._counts.get(key, ())) < MOST:
            self._note({key: (sample_of(token_id, error, environ, body),)}, MOST_KEYS)

    def add(self, one: Samples, other: Samples) -> Samples:
        return (*one, *other)[:MOST]

    def save(self, counts: Mapping[tuple[int, str], Samples]) -> None:
        """Write the samples."""
        RefusedRequest.objects.keep([each for samples in counts.values() for each in samples])


def sample_of(
    token_id: int, error: IngestError, environ: Mapping[str, Any], body: bytes | None
) -> RefusedRequest:
    sent: bytes = environ.get(BODY, b"") if body is None else body
    return RefusedRequest(
        token_id=token_id,
        code=error.code[:100],
        message=storable(error.message),
        method=environ.get("REQUEST_METHOD", "")[:10],
        path=storable(environ.get("PATH_INFO", ""))[:MOST_TEXT],
        user_agent=storable(environ.get("HTTP_USER_AGENT", ""))[:MOST_TEXT],
        body=masked(sent[:MOST_BODY].decode(errors="replace")),
    )


def masked(text: str) -> str:
    """Return the text without the values of secrets, and without what Postgres cannot store."""
    return storable(SECRET.sub(MASK, text))


def storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


samples = RefusedSamples()
process.at_shutdown(samples.write)
process.on_forget(samples.forget)
