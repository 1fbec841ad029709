"""An answer that hangs on a commit, for a server that can wait without holding a thread.

Such a server calls the application on its event loop, with a function under WAITS in the environ
that may be called from any thread. Where the view then leaves a Pending, its answer counts only
once the function was called: the server asks the Pending, and sends the refusal in its place if
there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from tracking.conf import conf
from tracking.ingest.cors import allow_origin
from tracking.ingest.errors import IngestError, respond
from tracking.ingest.lane import lane
from tracking.ingest.parsing import Arrival
from tracking.ingest.refusals import refusals
from tracking.ingest.store import Stored, writer
from tracking.ingest.ticket import Ticket

WAITS = "hitstream.waits"
PENDING = "hitstream.pending"


class Pending:
    def __init__(self, ticket: Ticket[Arrival, Stored], request: HttpRequest) -> None:
        self._ticket = ticket
        self._request = request

    def refusal(self) -> HttpResponse | None:
        """What to answer instead, None if the hit is stored; 503 if that is not known by now."""
        try:
            self._ticket.open()
        except IngestError as error:
            refusals.note(self._ticket.item.token_id, error.code)
            response = respond(error)
            allow_origin(self._request, response)
            return response
        return None


def store(arrival: Arrival, request: HttpRequest) -> None:
    """The arrival is committed, or the server waits until it is; raises what is in the way."""
    environ: dict[str, Any] = request.META
    waits: Callable[[], None] | None = environ.get(WAITS)
    if waits is None:
        writer.submit(arrival, within=conf.REQUEST_DEADLINE)
    else:
        environ[PENDING] = Pending(lane.hand(arrival, waits), request)
