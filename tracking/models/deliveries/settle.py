"""What became of claimed deliveries, written in one statement: the queue, the dead letters, the
outcomes, the attempts and the tallies change together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from django.db import connections, transaction

from tracking import db
from tracking.models.deliveries.outcome import DeliveryResult
from tracking.models.integrations.integration import Integration

# A delivery that was made is queued no more, whoever holds the lease by now, and is no dead letter
# either; one that was not made is only touched by who holds its lease.
SETTLE: LiteralString = """
    WITH entry AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(entries)s::jsonb) AS entry(
            hit_id uuid, leased_until timestamptz, result text, attempt_id uuid, code text,
            reason text, wait float8, attempts smallint
        )
    ), attempt AS (
        INSERT INTO hitstream_attempt (id, integration_id, made_at, hits, code, message, status,
            duration, method, url, request_headers, request_body, response_headers, response_body)
        SELECT id, %(integration)s, made_at, hits, code, message, status, duration, method, url,
            request_headers, request_body, response_headers, response_body
        FROM jsonb_to_recordset(%(attempts)s::jsonb) AS attempt(
            id uuid, made_at timestamptz, hits integer, code text, message text, status smallint,
            duration float8, method text, url text, request_headers jsonb, request_body text,
            response_headers jsonb, response_body text
        )
    ), settled AS (
        DELETE FROM hitstream_queue AS queued USING entry
        WHERE queued.integration_id = %(integration)s AND queued.hit_id = entry.hit_id
          AND (entry.result IN ('delivered', 'skipped')
               OR entry.result = 'buried' AND queued.due_at = entry.leased_until)
        RETURNING queued.hit_id, queued.ordering_key, queued.seq, entry.result, entry.attempt_id,
            entry.code,
            entry.reason, entry.attempts
    ), raised AS (
        DELETE FROM hitstream_deadletter AS letter USING entry
        WHERE letter.integration_id = %(integration)s AND letter.hit_id = entry.hit_id
          AND entry.result = 'delivered'
        RETURNING letter.hit_id, letter.code
    ), postponed AS (
        UPDATE hitstream_queue AS queued
        SET due_at = statement_timestamp() + make_interval(secs => entry.wait),
            attempts = entry.attempts, claims = 0
        FROM entry
        WHERE queued.integration_id = %(integration)s AND queued.hit_id = entry.hit_id
          AND entry.result IN ('failed', '') AND queued.due_at = entry.leased_until
    ), buried AS (
        INSERT INTO hitstream_deadletter
            (integration_id, hit_id, failed_at, code, message, attempts, attempt_id)
        SELECT %(integration)s, hit_id, statement_timestamp(), code, reason, attempts, attempt_id
        FROM settled WHERE result = 'buried'
        ON CONFLICT (hit_id, integration_id) DO NOTHING
    ), outcome AS (
        INSERT INTO hitstream_outcome
            (hit_id, integration_id, attempt_id, result, reason, settled_at)
        SELECT entry.hit_id, %(integration)s, entry.attempt_id, entry.result, entry.reason,
            statement_timestamp()
        FROM entry LEFT JOIN settled USING (hit_id)
        WHERE entry.result IN ('delivered', 'failed')
           OR entry.result IN ('buried', 'skipped') AND settled.hit_id IS NOT NULL
    ), change AS (
        SELECT hit_id, replace(result, 'buried', 'dead') AS kind,
            CASE result WHEN 'buried' THEN code WHEN 'skipped' THEN left(reason, 100) ELSE '' END
                AS reason, 1 AS count
        FROM settled
        UNION ALL SELECT hit_id, 'delivered', '', 1 FROM raised
        UNION ALL SELECT hit_id, 'dead', code, -1 FROM raised
    ), tallied AS (
        INSERT INTO hitstream_tally (hour, token_id, integration_id, kind, reason, count)
        SELECT hitstream_hour(hit_id), %(token)s, %(integration)s, kind, reason, sum(count)
        FROM change GROUP BY 1, 4, 5
    )
    SELECT array_agg(ordering_key) FILTER (WHERE ordering_key IS NOT NULL) FROM settled
"""
# The next in each ordering_key was parked, not claimed or tried: it is due now.
RELEASE: LiteralString = """
    UPDATE hitstream_queue AS queued SET due_at = statement_timestamp()
    FROM unnest(%(ordering_keys)s::bigint[]) AS freed(ordering_key), LATERAL (
        SELECT hit_id FROM hitstream_queue AS next
        WHERE next.integration_id = %(integration)s AND next.ordering_key = freed.ordering_key
        ORDER BY seq LIMIT 1
    ) AS first
    WHERE queued.integration_id = %(integration)s AND queued.hit_id = first.hit_id
      AND queued.claims = 0 AND queued.attempts = 0 AND queued.due_at > statement_timestamp()
"""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one claimed delivery. `result` is empty for one that is given back.

    `attempts` is how many were made, this one included; `wait` is for `failed` and given back, in
    seconds from now.
    """

    hit_id: UUID
    leased_until: datetime
    result: DeliveryResult | str
    attempts: int
    attempt_id: UUID | None = None
    code: str = ""
    reason: str = ""
    wait: float = 0.0


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the attempts: see `tracking.models.deliveries.attempt`."""

    id: UUID
    made_at: datetime
    hits: int
    code: str = ""
    message: str = ""
    status: int | None = None
    duration: float = 0.0
    method: str = ""
    url: str = ""
    request_headers: dict[str, str] = {}
    request_body: str = ""
    response_headers: dict[str, str] = {}
    response_body: str = ""


def settle(
    integration: Integration, entries: Sequence[Settlement], attempts: Sequence[AttemptRecord]
) -> None:
    """The entries are true and the attempts on record, all in one commit."""
    parameters: dict[str, Any] = {
        "integration": integration.pk,
        "token": integration.token_id,
        "entries": msgspec.json.encode(entries).decode(),
        "attempts": msgspec.json.encode(attempts).decode(),
    }
    alias = db.write_alias()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(SETTLE, parameters)
        ordering_keys = cursor.fetchone()[0]
        if ordering_keys:
            cursor.execute(RELEASE, {"integration": integration.pk, "ordering_keys": ordering_keys})
