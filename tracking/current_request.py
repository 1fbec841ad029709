"""The request that is being served, as its log records and its answer name it.

The context variable is set once for each request; its id is made when the first record or answer
needs it. What serves many requests at once, like the writers of ingest, runs outside all of them.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from contextvars import Context, ContextVar
from typing import Any
from uuid import uuid4

Environ = MutableMapping[str, Any]

HEADER = "X-Request-ID"
#: The ids of a proxy that are taken over.
USABLE = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
MADE = "hitstream.request_id"

#: The environ of the request that this thread or task serves.
environ_of_request: ContextVar[Environ | None] = ContextVar("hitstream_request", default=None)
#: The context of callbacks that serve many requests at once. It stays empty.
NO_REQUEST = Context()


def id_of(environ: Environ) -> str:
    """Return the id of the request: the proxy's if it is usable, else one that is made once."""
    found: str | None = environ.get(MADE)
    if found is None:
        found = environ[MADE] = usable_id(environ.get("HTTP_X_REQUEST_ID", ""))
    return found


def usable_id(given: str) -> str:
    """Return the given id, or a new one if it is not usable."""
    return given if USABLE.fullmatch(given) else uuid4().hex


def current_id() -> str | None:
    """Return the id of the request that is being served, None outside of requests."""
    environ = environ_of_request.get()
    return None if environ is None else id_of(environ)
