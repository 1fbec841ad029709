"""The deferred answer: a 204 that counts only after the commit.

The event loop of the web server must not wait for Postgres. It calls the application with a
function under NOTIFY in the environ; the view then leaves a DeferredResponse and returns at once.

    server/front         the view                    LoopWriter              Postgres
        │  NOTIFY in environ │                            │                      │
        ├───────────────────▶│ authenticate, parse        │                      │
        │                    ├── hand(arrival, notify) ──▶│                      │
        │                    │◀───── PendingItem ─────────┤                      │
        │◀── 204, unsent ────┤ DEFERRED in environ        ├── one statement ────▶│
        │    (HeldAnswer)    │                            │◀────── commit ───────┤
        │◀──────────────── notify() ──────────────────────┤ item.settle(outcome) │
        │ HeldAnswer.send: refusal() is None ─▶ 204; an error or too late ─▶ 4xx, 503

Where an answer needs something slower than memory (an unknown token, the rate limit's cache), the
view raises NeedsThread; the server repeats the request from its start on a thread, without NOTIFY.
A server that knows nothing of NOTIFY has its thread wait for the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse

from tracking.ingest.errors import IngestError
from tracking.ingest.write.pending_item import PendingItem

NOTIFY = "hitstream.notify"
DEFERRED = "hitstream.deferred"


class NeedsThread(BaseException):
    """The answer depends on something slow. It is no error: no `except Exception` may catch it."""


def wait_if_allowed(environ: Mapping[str, Any]) -> None:
    """Return where the caller may wait from here on. Raises NeedsThread on the event loop."""
    if NOTIFY in environ:
        raise NeedsThread


class DeferredResponse:
    """The view's answer to a hit that is not yet committed.

    `refuse` makes the whole answer to what goes wrong after the view has returned.
    """

    def __init__(
        self, item: PendingItem[Any, Any], refuse: Callable[[IngestError], HttpResponse]
    ) -> None:
        self._item = item
        self._refuse = refuse

    def refusal(self) -> HttpResponse | None:
        """Return the answer that replaces the view's, or None if the hit is stored. An outcome
        that is not known by now is a 503."""
        try:
            self._item.open()
        except IngestError as error:
            return self._refuse(error)
        return None
