"""The writer: arrivals in, an outcome for each out, after the commit.

One statement stores the new hits, owes their deliveries and counts them: all or nothing. A repeated
hitId stores nothing and owes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import LiteralString
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from tracking import tasks
from tracking.conf import conf
from tracking.ingest.connection import Connection
from tracking.ingest.errors import BadRequest, Unavailable
from tracking.ingest.group import Group
from tracking.ingest.parsing import Arrival
from tracking.models import partition

logger = logging.getLogger(__name__)

STORE: LiteralString = """
WITH incoming AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(arrivals)s::jsonb) AS arrival(
        id uuid, token_id bigint, hit_id text, digest uuid, type text, name text, user_id text,
        anonymous_id text, email_hash text, sent_at timestamptz, received_at timestamptz,
        occurred_at timestamptz, ip inet, user_agent text, payload jsonb, switches jsonb,
        copies integer
    )
), fresh AS (
    INSERT INTO tracking_hitkey AS seen (token_id, digest, hit_id)
    SELECT token_id, digest, id FROM incoming WHERE digest IS NOT NULL
    ON CONFLICT (token_id, digest) DO UPDATE SET hit_id = excluded.hit_id
        WHERE seen.hit_id < %(window)s
    RETURNING hit_id
), stored AS (
    INSERT INTO tracking_hit (
        id, token_id, revision, hit_id, type, name, user_id, anonymous_id, email_hash,
        sent_at, received_at, occurred_at, ip, user_agent, payload
    )
    SELECT
        incoming.id, token_id, coalesce(token.revision, 0), hit_id, type, incoming.name, user_id,
        anonymous_id, email_hash, sent_at, received_at, occurred_at, ip, user_agent, payload
    FROM incoming LEFT JOIN tracking_token AS token ON token.id = incoming.token_id
    WHERE incoming.digest IS NULL OR incoming.id IN (SELECT hit_id FROM fresh)
    RETURNING id
), owed AS (
    INSERT INTO tracking_owed (integration_id, hit_id, due_at, owed_at, lane, claims, attempts)
    SELECT integration.id, incoming.id, statement_timestamp(), statement_timestamp(),
        CASE WHEN integration.ordered THEN tracking_lane(anonymous_id, user_id) END, 0, 0
    FROM incoming
    JOIN stored ON stored.id = incoming.id
    JOIN tracking_integration AS integration ON integration.token_id = incoming.token_id
    WHERE integration.enabled
      AND (integration.event_names = '{}' OR incoming.name = ANY(integration.event_names))
      AND coalesce(
          (switches -> 'names' -> integration.handle)::boolean,
          (switches -> 'destinations' -> integration.destination)::boolean,
          (switches -> 'all' -> 'all')::boolean,
          true
      )
    ORDER BY incoming.id
    RETURNING integration_id, hit_id
), tallied AS (
    INSERT INTO tracking_tally (hour, token_id, integration_id, what, reason, count)
    SELECT date_trunc('hour', received_at, 'UTC'), token_id, 0, 'accepted', '', sum(copies)
    FROM incoming GROUP BY 1, 2
    UNION ALL
    SELECT date_trunc('hour', received_at, 'UTC'), token_id, 0, 'duplicate', '',
        sum(copies - (stored.id IS NOT NULL)::integer)
    FROM incoming LEFT JOIN stored ON stored.id = incoming.id
    WHERE stored.id IS NULL OR copies > 1 GROUP BY 1, 2
    UNION ALL
    SELECT date_trunc('hour', received_at, 'UTC'), token_id, integration_id, 'matched', '', count(*)
    FROM owed JOIN incoming ON incoming.id = owed.hit_id GROUP BY 1, 2, 3
)
SELECT EXISTS (SELECT FROM owed), ARRAY(SELECT id FROM incoming EXCEPT SELECT id FROM stored)
"""


class Stored(Enum):
    """What became of an arrival that is answered 204."""

    NEW = "new"
    DUPLICATE = "duplicate"


Outcomes = Mapping[UUID, Stored | Exception]

#: A row with one of these fails for what it holds: its neighbours do not.
UNSTORABLE = (psycopg.DataError, errors.StatementTooComplex, errors.ProgramLimitExceeded)

#: What `insert` knows a way around: the statement failed, the connection is as good as before.
MENDABLE = (*UNSTORABLE, errors.LockNotAvailable, errors.CheckViolation)


def store(connection: Connection, arrivals: Sequence[Arrival]) -> list[Stored | Exception]:
    """Each arrival is committed or has an error to its name."""
    return share(arrivals, insert(connection, distinct(arrivals)))


def distinct(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The batch without what it repeats itself, which is counted."""
    firsts = {key(arrival): arrival for arrival in reversed(arrivals)}
    if len(firsts) < len(arrivals):
        copies = Counter(map(key, arrivals))
        for repeated in (each for each, count in copies.items() if count > 1):
            first = firsts[repeated]
            firsts[repeated] = msgspec.structs.replace(first, copies=copies[repeated])
    # Two writers that take the same keys in another order would deadlock.
    return [firsts[each] for each in sorted(firsts)]


def share(arrivals: Sequence[Arrival], outcomes: Outcomes) -> list[Stored | Exception]:
    """The outcome of each; an arrival that is not among them repeats an earlier one's key."""
    if len(outcomes) == len(arrivals):
        return [outcomes[arrival.id] for arrival in arrivals]
    firsts: dict[tuple[int, UUID], Stored | Exception] = {}
    shared = []
    for arrival in arrivals:
        if arrival.id in outcomes:
            outcome = firsts[key(arrival)] = outcomes[arrival.id]
        else:
            outcome = firsts[key(arrival)]
            outcome = Stored.DUPLICATE if outcome is Stored.NEW else outcome
        shared.append(outcome)
    return shared


def key(arrival: Arrival) -> tuple[int, UUID]:
    return arrival.token_id, arrival.digest or arrival.id


def insert(connection: Connection, batch: list[Arrival]) -> Outcomes:
    """An outcome by id. A batch that fails for one of its rows is halved until the row is found."""
    try:
        return execute(connection, batch)
    except (*UNSTORABLE, errors.LockNotAvailable) as error:
        if len(batch) == 1:
            return {batch[0].id: explain(error)}
        middle = len(batch) // 2
        return {**insert(connection, batch[:middle]), **insert(connection, batch[middle:])}
    except errors.CheckViolation:
        # "No partition of relation found for row": nobody made the day's leaves.
        with connection.transaction():
            made = partition.make_ahead(connection.execute)
        if not made:
            raise
        logger.warning("Made %s missing partitions; does `manage.py sweep` run?", len(made))
        return execute(connection, batch)


def execute(connection: Connection, batch: list[Arrival]) -> Outcomes:
    (row,) = connection.execute(STORE, parameters(batch), prepare=True).fetchall()
    return conclude(batch, *row)


def parameters(batch: Sequence[Arrival]) -> dict[str, str]:
    """What STORE takes, as text."""
    window = partition.first_uuid7(datetime.now(UTC) - timedelta(seconds=conf.DEDUP_WINDOW))
    return {"arrivals": msgspec.json.encode(batch).decode(), "window": str(window)}


def conclude(batch: Sequence[Arrival], owes: bool, repeated: Sequence[UUID]) -> Outcomes:
    """An outcome by id from STORE's row; the bell has rung if something is owed."""
    if owes:
        tasks.ring()
    outcomes: dict[UUID, Stored | Exception] = {arrival.id: Stored.NEW for arrival in batch}
    return outcomes | dict.fromkeys(repeated, Stored.DUPLICATE)


def explain(error: psycopg.Error) -> Exception:
    if isinstance(error, errors.LockNotAvailable):
        return Unavailable("The same hitId is being stored by another transaction; try again.")
    return BadRequest("unstorable", f"Postgres cannot hold this hit: {error.diag.message_primary}.")


writer: Group[Arrival, Stored] = Group("hitstream-writer", store)
