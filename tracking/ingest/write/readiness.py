"""Whether a hit would be stored now: the storing statement as the event loop runs it, rolled back.

It has a connection of its own, which is kept, as those of the writers are: where Postgres accepts
no new connection, hits are still stored on the old ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import uuid4

import psycopg
from psycopg import errors

from tracking import process
from tracking.conf import conf
from tracking.connection import OwnConnection
from tracking.health.probe import NoAnswerError, Probe
from tracking.ingest.errors import IngestError
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.track_payload import parse
from tracking.ingest.write import store
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.prepared_statement import OTHER_SESSION, TRIES, PreparedStatement
from tracking.ingest.write.reasons import NO_ANSWER, NoPartition, reason_of
from tracking.models.analytics import late_arrivals
from tracking.models.hits import partitions

logger = logging.getLogger(__name__)

#: Seconds that a probe waits; longer than the deadline of a request, so that the deadline decides.
PATIENCE = 2.0
#: A hit of no token: nothing is queued for it. With a hitId, since the dedup keys are written, too;
#: each probe has its own: the locks of one that was cut off hold up no other.
HIT = b'{"hitId": "readiness-%s", "userId": "readiness", "event": {}}'
NOBODY = ClientInfo(token_id=0, ip=None, user_agent="")

#: On the present connection.
_statement: PreparedStatement | None = None


def try_to_store(connection: OwnConnection, arrivals: Sequence[Arrival]) -> Sequence[str]:
    """Store the arrivals and roll them back. Returns for each why it cannot be stored; empty if it
    can."""
    reason = ""
    try:
        store_for_a_moment(connection, arrivals)
    except psycopg.Error as error:
        reason = reason_of(error)
        logger.warning("Not ready: %s %s", reason, str(error).strip())
        if not isinstance(error, errors.LockNotAvailable | errors.QueryCanceled):
            # This connection may lead to a server that was demoted: the next try makes a new one.
            connection.close()
    return [reason] * len(arrivals)


def store_for_a_moment(connection: OwnConnection, arrivals: Sequence[Arrival]) -> None:
    """Raises psycopg's errors."""
    try:
        run_and_undo(connection, arrivals)
    except store.PARTITION_ERRORS as error:
        if not partitions.is_missing(error):
            raise
        # The day's partitions are missing: the first hit makes them, too.
        try:
            with connection.transaction():
                partitions.make_ahead(connection.execute)
        except errors.InsufficientPrivilege as error:
            raise NoPartition(str(error)) from error
        run_and_undo(connection, arrivals)


def run_and_undo(connection: OwnConnection, arrivals: Sequence[Arrival]) -> None:
    global _statement
    if _statement is None or _statement.connection is not connection:
        _statement = PreparedStatement(connection, store.SQL["store"])
    statement = _statement
    parameters = store.parameters(arrivals, late_arrivals.after())
    for tries_left in reversed(range(TRIES)):
        try:
            with connection.transaction(force_rollback=True):
                statement.execute(parameters)
        except OTHER_SESSION as error:
            if not tries_left:
                raise
            statement.learn(error)
        else:
            return


_thread: BatchThread[Arrival, str] = BatchThread("hitstream-readiness", try_to_store)


def probe() -> str:
    """Return why a hit would not be stored within a request's deadline; empty if it would."""
    try:
        return _thread.submit(
            parse(HIT % uuid4().hex.encode(), NOBODY), within=conf.REQUEST_DEADLINE
        )
    except IngestError as error:
        return reason_of(error.__cause__)


readiness = Probe(probe, patience=PATIENCE, remember=1.0)


def why_not_ready() -> str:
    """Return why no hit would be stored now, as of the last second; empty if it would. The sentence
    names no host, role or table."""
    try:
        return readiness.answer()
    except NoAnswerError:
        return NO_ANSWER


def forget() -> None:
    """Drop the answer and the connection."""
    readiness.forget()
    _thread.drain()


process.at_shutdown(_thread.drain)
