"""Whether a hit would be stored now: a storing statement that is rolled back.

It has a connection of its own, which is kept, as those of the writers are: where Postgres accepts
no new connection, hits are still stored on the old ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import errors

from tracking import process
from tracking.conf import conf
from tracking.health.probe import NoAnswerError, Probe
from tracking.ingest.errors import IngestError, Unavailable
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.connection import Connection
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.store import execute
from tracking.models.hits import partitions

#: Seconds that a probe waits; longer than the deadline of a request, so that the deadline decides.
PATIENCE = 2.0
#: A hit of no token: nothing is queued for it. With a hitId, since the dedup keys are written, too.
HIT = b'{"hitId": "readiness", "userId": "readiness", "event": {}}'
NOBODY = ClientInfo(token_id=0, ip=None, user_agent="")


def try_to_store(
    connection: Connection, arrivals: Sequence[Arrival]
) -> Sequence[Stored | Exception]:
    """Store the arrivals and roll them back, with the outcome that a sender would get."""
    try:
        with connection.transaction(force_rollback=True):
            execute(connection, list(arrivals), lambda: None)
    except errors.LockNotAvailable:
        return [Unavailable()] * len(arrivals)
    except errors.CheckViolation:
        # The day's partitions are missing: the first hit makes them, too.
        with connection.transaction():
            partitions.make_ahead(connection.execute)
    return [Stored.NEW] * len(arrivals)


_thread: BatchThread[Arrival, Stored] = BatchThread("hitstream-readiness", try_to_store)


def probe() -> bool:
    """Return whether a hit would be stored within a request's deadline."""
    try:
        _thread.submit(parse(HIT, NOBODY), within=conf.REQUEST_DEADLINE)
    except IngestError:
        return False
    return True


readiness = Probe(probe, patience=PATIENCE, remember=1.0)


def can_store() -> bool:
    """Return whether a hit would be stored now, as of the last second."""
    try:
        return readiness.answer()
    except NoAnswerError:
        return False


def forget() -> None:
    """Drop the answer and the connection."""
    readiness.forget()
    _thread.drain()


process.at_shutdown(_thread.drain)
