"""The steps of storing a batch: arrivals in, an outcome for each out, after the commit.

One statement stores the new hits, queues their deliveries and counts them: all or nothing. A
duplicate stores and queues nothing. `LoopWriter` and `ChunkWriter` take the same steps on
connections of their own.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from tracking import db, wakeup
from tracking.conf import conf
from tracking.connection import OwnConnection
from tracking.ingest.errors import BadRequest, Contended, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import fanout
from tracking.ingest.write.batch_report import fields_of, observe
from tracking.ingest.write.batch_thread import BatchThread
from tracking.ingest.write.duplicates import duplicates
from tracking.ingest.write.outcome import Stored
from tracking.models.analytics import late_arrivals
from tracking.models.analytics.watermark import ALL_TOKENS
from tracking.models.hits import partitions
from tracking.sql import load
from tracking.uuid7 import first_uuid7

logger = logging.getLogger(__name__)


Outcomes = Mapping[UUID, Stored | Exception]
#: Called instead of waking the dispatcher, by callers that commit later.
Wake = Callable[[], object] | None

#: The row itself causes these errors: its neighbours can be stored.
UNSTORABLE = (psycopg.DataError, errors.StatementTooComplex, errors.ProgramLimitExceeded)

#: Errors that `insert` can work around: the statement failed, the connection is as good as before.
RECOVERABLE = (*UNSTORABLE, errors.LockNotAvailable, errors.CheckViolation)
#: What a missing partition causes, among other things.
PARTITION_ERRORS = (errors.CheckViolation, psycopg.InternalError)


SQL = load(__file__)
MOMENT = "10ms"


def store(
    connection: OwnConnection, arrivals: Sequence[Arrival], wake: Wake = None
) -> list[Stored | Exception]:
    """Commit each arrival, or return the error that it causes."""
    return outcome_of_each(arrivals, insert(connection, without_duplicates(arrivals), wake))


def without_duplicates(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the batch without the duplicates that it holds itself; their number is in `copies`."""
    firsts = {key(arrival): arrival for arrival in reversed(arrivals)}
    if len(firsts) < len(arrivals):
        copies = Counter(map(key, arrivals))
        for again in (each for each, count in copies.items() if count > 1):
            first = firsts[again]
            firsts[again] = msgspec.structs.replace(first, copies=copies[again])
    # Sorted: two writers that take the same keys in different orders would deadlock.
    return [firsts[each] for each in sorted(firsts)]


def outcome_of_each(arrivals: Sequence[Arrival], outcomes: Outcomes) -> list[Stored | Exception]:
    """Return the outcome of each arrival; one without one is a duplicate within the batch."""
    if len(outcomes) == len(arrivals):
        return [outcomes[arrival.id] for arrival in arrivals]
    firsts: dict[tuple[int, int], Stored | Exception] = {}
    shared, again = [], []
    for arrival in arrivals:
        if arrival.id in outcomes:
            outcome = firsts[key(arrival)] = outcomes[arrival.id]
        else:
            outcome = firsts[key(arrival)]
            if isinstance(outcome, Stored):
                outcome = Stored.DUPLICATE
                again.append(arrival)
        shared.append(outcome)
    duplicates.note(again)
    return shared


def key(arrival: Arrival) -> tuple[int, int]:
    """Return the dedup key as numbers: sorting a batch by UUIDs takes as long as encoding it."""
    return arrival.token_id, (arrival.digest or arrival.id).int


def insert(
    connection: OwnConnection, batch: list[Arrival], wake: Wake = None, until: float = math.inf
) -> Outcomes:
    """Store the batch. Returns the outcomes by id. A batch that fails for one of its rows is halved
    until the row is found.

    A wait for another transaction must not delay everybody else: once a batch has waited for one,
    its parts wait for a moment each, and after `until`, by the monotonic clock, no part is tried.
    """
    if db.is_distributed() and batch and batch[0].token_id != batch[-1].token_id:
        # Each statement commits: none may be repeated for a row of another token. In the order of
        # tokens: see `without_duplicates`.
        groups = (list(group) for _, group in groupby(batch, key=attrgetter("token_id")))
        outcomes = (insert(connection, group, wake, until) for group in groups)
        return {id: outcome for each in outcomes for id, outcome in each.items()}
    return insert_together(connection, batch, wake, until)


def insert_together(
    connection: OwnConnection, batch: list[Arrival], wake: Wake, until: float
) -> Outcomes:
    """Do what `insert` does, in one statement."""
    if time.monotonic() > until:
        return {arrival.id: Unavailable() for arrival in batch}
    run = execute if until == math.inf else execute_shortly
    try:
        return run(connection, batch, wake)
    except (*UNSTORABLE, errors.LockNotAvailable) as error:
        if len(batch) == 1:
            return {batch[0].id: explain_refusal(error)}
        if until == math.inf and isinstance(error, errors.LockNotAvailable):
            until = time.monotonic() + conf.LOCK_TIMEOUT
        return halve(connection, batch, wake, until)
    except PARTITION_ERRORS as error:
        if not partitions.is_missing(error):
            raise
        with connection.transaction():
            made = partitions.make_ahead(connection.execute)
        if not made:
            raise
        logger.warning("Made %s missing partitions; does `manage.py sweep` run?", len(made))
        return run(connection, batch, wake)


def halve(connection: OwnConnection, batch: list[Arrival], wake: Wake, until: float) -> Outcomes:
    middle = len(batch) // 2
    first = insert(connection, batch[:middle], wake, until)
    return {**first, **insert(connection, batch[middle:], wake, until)}


def execute_shortly(connection: OwnConnection, batch: list[Arrival], wake: Wake) -> Outcomes:
    """Do what `execute` does, and wait for a lock no longer than a moment."""
    with connection.transaction():
        ((before,),) = connection.execute("SELECT current_setting('lock_timeout')").fetchall()
        connection.execute(SQL["set_lock_timeout"], {"timeout": MOMENT})
        row = run_statement(connection, batch, wake)
        # The transaction may be the host's, and go on.
        connection.execute(SQL["set_lock_timeout"], {"timeout": before})
    return outcomes_of(batch, *row, wake)


def execute(connection: OwnConnection, batch: list[Arrival], wake: Wake) -> Outcomes:
    return outcomes_of(batch, *run_statement(connection, batch, wake), wake)


def run_statement(
    connection: OwnConnection, batch: list[Arrival], wake: Wake
) -> tuple[bool, Sequence[UUID]]:
    """Return the row of the statement `store`."""
    late_after = late_arrivals.after() if wake is None else late_arrivals.ALWAYS
    found = connection.execute(SQL["store"], parameters(batch, late_after), prepare=True).fetchall()
    ((queues, duplicate_ids),) = found
    return queues, duplicate_ids


def parameters(batch: Sequence[Arrival], late_after: str) -> dict[str, str]:
    """Return the parameters of the statement `store`, as text."""
    window = first_uuid7(datetime.now(UTC) - timedelta(seconds=conf.DEDUP_WINDOW))
    return {
        "arrivals": msgspec.json.encode(batch).decode(),
        "window": str(window),
        "late_after": late_after,
        "watermark": str(batch[0].token_id if db.is_distributed() else ALL_TOKENS),
    }


def outcomes_of(
    batch: Sequence[Arrival], queues: bool, duplicate_ids: Sequence[UUID], wake: Wake = None
) -> Outcomes:
    """Return the outcomes by id from the row of the statement `store`; wake the dispatcher if
    something is queued, and count the duplicates."""
    if queues:
        (wake or wakeup.wake_dispatcher)()
    if duplicate_ids:
        duplicates.note_among(batch, duplicate_ids)
    outcomes: dict[UUID, Stored | Exception] = {arrival.id: Stored.NEW for arrival in batch}
    return outcomes | dict.fromkeys(duplicate_ids, Stored.DUPLICATE)


def explain_refusal(error: psycopg.Error) -> Exception:
    if isinstance(error, errors.LockNotAvailable):
        return Contended("The same hitId is being stored by another transaction; try again.")
    return BadRequest("unstorable", f"Postgres cannot hold this hit: {error.diag.message_primary}.")


writer: BatchThread[Arrival, Stored] = BatchThread(
    "hitstream-writer", store, weigh=fanout.weight, observe=observe, fields_of=fields_of
)
