"""Who watches stored hits and requests to destinations: nobody, unless the deployment installs an
observer.

What is watched never fails for its observer: the functions below log what goes wrong in it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

logger = logging.getLogger(__name__)

NOTHING: Mapping[str, str] = {}
#: The headers that the observer adds to the requests of this task.
added_headers: ContextVar[Mapping[str, str]] = ContextVar("hitstream_headers", default=NOTHING)


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A new hit that is committed. `request` is the environ of its request, where there is one."""

    id: UUID
    token_id: int
    type: str
    received_at: datetime
    request: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request to a destination that is over. `numbers` holds for each hit the number of its
    attempt; `error` is a code, "" for a success; `duration` is in seconds, None without a
    request."""

    integration: int
    destination: str
    attempt: UUID
    numbers: Mapping[UUID, int]
    failed_hits: int
    status: int | None
    duration: float | None
    error: str


class Observer:
    """Watches nothing. `is_watching` of one that does is True."""

    is_watching = False

    def stored(self, hits: Sequence[StoredHit]) -> None:
        """Take note of new hits. Called after their senders have been answered."""

    def begin(self, hits: Sequence[UUID]) -> object | None:
        """Take note of a request to a destination that begins. Returns what `end` gets; None if
        this request is not watched."""
        return None

    def headers(self, begun: object) -> Mapping[str, str]:
        """Return headers for the request."""
        return NOTHING

    def end(self, begun: object, answered: Answered) -> None:
        """Take note of the result of a request that `begin` has returned."""


_observer = Observer()


def install(observer: Observer) -> None:
    """Let the observer watch this process from now on."""
    global _observer
    _observer = observer


def is_watching() -> bool:
    return _observer.is_watching


def note_stored(hits: Sequence[StoredHit]) -> None:
    try:
        _observer.stored(hits)
    except Exception:
        logger.exception("The observer of stored hits failed")


def begin(hits: Sequence[UUID]) -> object | None:
    """Begin to watch a request of this task to a destination."""
    try:
        begun = _observer.begin(hits)
        if begun is not None:
            added_headers.set(_observer.headers(begun))
    except Exception:
        logger.exception("The observer of requests failed")
        return None
    return begun


def end(begun: object, answered: Answered) -> None:
    try:
        _observer.end(begun, answered)
    except Exception:
        logger.exception("The observer of requests failed")
