"""An answer that hangs on a commit, for a server that can wait without holding a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from tracking.conf import conf
from tracking.ingest.errors import IngestError
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.deferred import PENDING, WAITS
from tracking.ingest.write.loop_writer import lane
from tracking.ingest.write.pending_item import Ticket
from tracking.ingest.write.refusals import refusals
from tracking.ingest.write.store import Stored, writer

Refuse = Callable[[IngestError], HttpResponse]


class Pending:
    def __init__(self, ticket: Ticket[Arrival, Stored], refuse: Refuse) -> None:
        self._ticket = ticket
        self._refuse = refuse

    def refusal(self) -> HttpResponse | None:
        """What to answer instead, None if the hit is stored; 503 if that is not known by now."""
        try:
            self._ticket.open()
        except IngestError as error:
            refusals.note(self._ticket.item.token_id, error.code)
            return self._refuse(error)
        return None


def store(arrival: Arrival, request: HttpRequest, refuse: Refuse) -> None:
    """The arrival is committed, or the server waits until it is; raises what is in the way.
    `refuse` makes the whole answer to what gets in the way later."""
    environ: dict[str, Any] = request.META
    waits: Callable[[], None] | None = environ.get(WAITS)
    if waits is None:
        writer.submit(arrival, within=conf.REQUEST_DEADLINE)
    else:
        environ[PENDING] = Pending(lane.hand(arrival, waits), refuse)
