"""A delivery under a lease, and the statements that claim due ones: DUE, then one of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

# Found by their places in the table: no estimate of the planner's makes it walk the index of a
# queue that was empty a moment ago and is full of dead rows.
DUE: LiteralString = """
    WITH due AS MATERIALIZED (
        SELECT ctid AS place, due_at FROM hitstream_queue
        WHERE integration_id = %(integration)s AND claims BETWEEN %(least)s AND %(most)s
          AND due_at <= statement_timestamp() AND due_at >= %(floor)s
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE hitstream_queue AS queued
"""
CLAIM: LiteralString = """
    SET due_at = statement_timestamp() + make_interval(secs => %(lease)s), claims = claims + 1
    WHERE queued.ctid = ANY(ARRAY(SELECT place FROM due))
    RETURNING hit_id, (SELECT max(due_at) FROM due), due_at, claims, attempts, queued_at, true
"""
# Behind an earlier hit of its key a delivery is parked: due at once when that one is settled; by
# itself, should that be missed, when that one is due or after a while.
CLAIM_FIRST_OF_LANE: LiteralString = """
    SET (due_at, claims) = (
        SELECT CASE WHEN max(behind.due_at) IS NULL
                   THEN statement_timestamp() + make_interval(secs => %(lease)s)
                   ELSE interval '1 ms' + greatest(
                       max(behind.due_at),
                       statement_timestamp() + make_interval(secs => %(parking)s)
                   )
               END,
               queued.claims + (max(behind.due_at) IS NULL)::integer
        FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
            SELECT earlier.due_at FROM hitstream_queue AS earlier
            WHERE earlier.integration_id = %(integration)s
              AND earlier.ordering_key = queued.ordering_key AND earlier.seq < queued.seq
            ORDER BY earlier.seq LIMIT 1
        ) AS behind ON true
    )
    WHERE queued.ctid = ANY(ARRAY(SELECT place FROM due))
    RETURNING hit_id, (SELECT max(due_at) FROM due), due_at, claims, attempts, queued_at,
        due_at = statement_timestamp() + make_interval(secs => %(lease)s)
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until `leased_until`; `attempts` were made before. `reached` is the
    latest time at which one of those claimed with it was due."""

    integration_id: int
    hit_id: UUID
    reached: datetime
    leased_until: datetime
    claims: int
    attempts: int
    queued_at: datetime
