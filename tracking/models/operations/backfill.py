"""Backfill: past hits are queued to an integration that has no record of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import msgspec

from tracking import db
from tracking.conf import conf
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.queue import ALWAYS
from tracking.models.operations.base import BatchOperation, OperationStep
from tracking.models.operations.preview import SAMPLE, Preview, show
from tracking.uuid7 import first_uuid7, moment_of

#: Hits that one step looks at, most of which may be known already.
WINDOW = 5000
#: The precision of the time in an id.
MILLISECOND = timedelta(milliseconds=1)

# What a hit's `integrations` object switches, without the options in it.
SWITCHES: LiteralString = """
    (SELECT jsonb_object_agg(key, CASE WHEN value IN ('false', 'null') THEN value ELSE 'true' END)
     FROM jsonb_each(CASE jsonb_typeof(payload -> 'integrations') WHEN 'object'
         THEN payload -> 'integrations' END))
"""
KNOWN: LiteralString = """
    (EXISTS (SELECT FROM hitstream_queue AS queued
             WHERE queued.hit_id = hit.id AND queued.integration_id = %(integration)s)
     OR EXISTS (SELECT FROM hitstream_deadletter AS letter
                WHERE letter.hit_id = hit.id AND letter.integration_id = %(integration)s)
     OR EXISTS (SELECT FROM hitstream_outcome AS outcome
                WHERE outcome.hit_id = hit.id AND outcome.integration_id = %(integration)s
                  AND outcome.hit_id >= %(first)s AND outcome.hit_id <= %(last)s))
"""
RANGE: LiteralString = """
    token_id = %(token)s AND id >= %(first)s AND id < %(last)s
    AND (%(names)s::text[] = '{}' OR name = ANY(%(names)s))
"""
COUNT: LiteralString = """
    SELECT name, SWITCHES::text, count(*), min(id::text)::uuid, max(id::text)::uuid
    FROM hitstream_hit AS hit WHERE RANGE AND NOT KNOWN GROUP BY 1, 2
"""
LOOK: LiteralString = """
    SELECT id, name, SWITCHES::text, KNOWN
    FROM hitstream_hit AS hit WHERE RANGE ORDER BY id LIMIT %(limit)s
"""
ENQUEUE: LiteralString = """
    WITH queued AS (
        INSERT INTO hitstream_queue (
            integration_id, hit_id, due_at, queued_at, ordering_key, claims, attempts
        )
        SELECT integration.id, hit.id, statement_timestamp(), statement_timestamp(),
            CASE WHEN integration.ordered
                THEN hitstream_ordering_key(hit.anonymous_id, hit.user_id) END, 0, 0
        FROM hitstream_hit AS hit
        JOIN hitstream_integration AS integration
          ON integration.id = %(integration)s AND integration.deleted_at IS NULL
        WHERE hit.id = ANY(%(ids)s) AND hit.id >= %(first)s AND hit.id <= %(last)s AND NOT KNOWN
        ORDER BY hit.id
        ON CONFLICT DO NOTHING
        RETURNING hit_id
    ), tallied AS (
        INSERT INTO hitstream_tally (hour, token_id, integration_id, kind, reason, count)
        SELECT hitstream_hour(hit_id), %(token)s, %(integration)s, 'matched', '', count(*)
        FROM queued GROUP BY 1
    )
    SELECT count(*) FROM queued
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    hit_id: UUID
    is_new: bool


class Backfill(BatchOperation):
    """Hits in the order of their ids; `position` is the id at which the next step begins."""

    name = "backfill"
    counted = "Hits to enqueue"

    def bound(self) -> Criteria:
        """Later hits are queued when they are stored, or were not wanted then."""
        now = datetime.now(UTC) + MILLISECOND
        return replace(self.criteria, until=min(self.criteria.until or now, now))

    def preview(self) -> Preview:
        """A hit that is told by its name and its switches from the others is judged once."""
        groups = [
            (count, first, last)
            for name, switches, count, first, last in self._rows(COUNT, self._bounds("", None))
            if self._wants(name, switches)
        ]
        if not groups:
            return Preview()
        oldest = min(first for _, first, _ in groups)
        found = [each.hit_id for each in self._look(str(oldest), None) if each.is_new]
        sample, note = show(self.integration, found[:SAMPLE])
        return Preview(
            count=sum(count for count, _, _ in groups),
            oldest=moment_of(oldest),
            newest=moment_of(max(last for _, _, last in groups)),
            sample=sample,
            note=note,
        )

    def step(self, position: str, limit: int) -> OperationStep:
        """The youngest hits have to wait: the order of ids is not the order of commits."""
        until = self.bound().until or datetime.now(UTC)
        settled = datetime.now(UTC) - timedelta(seconds=conf.COMMIT_LAG)
        looked = list(self._look(position, min(until, settled)))
        taken = [each.hit_id for each in looked if each.is_new][:limit]
        moved = self._enqueue(taken) if taken else 0
        if len(taken) == limit:
            return OperationStep(moved, _after(taken[-1]))
        if len(looked) == WINDOW:
            return OperationStep(moved, _after(looked[-1].hit_id))
        wait = (until - settled).total_seconds()
        position = _after(looked[-1].hit_id) if looked else position
        return OperationStep(moved, position, min(wait, 1.0) if wait > 0 else None)

    def _enqueue(self, ids: Sequence[UUID]) -> int:
        bounds = {"ids": list(ids), "first": min(ids), "last": max(ids)}
        moved: int = next(self._rows(ENQUEUE, bounds))[0]
        return moved

    def _look(self, position: str, until: datetime | None) -> Iterator[Candidate]:
        """The next hits of the range, wanted or not."""
        parameters = {**self._bounds(position, until), "limit": WINDOW}
        for hit_id, name, switches, is_known in self._rows(LOOK, parameters):
            yield Candidate(hit_id, not is_known and self._wants(name, switches))

    def _wants(self, name: str, switches: str | None) -> bool:
        return self.integration.wants(name, msgspec.json.decode(switches) if switches else {})

    def _bounds(self, position: str, until: datetime | None) -> dict[str, Any]:
        since, event = self.criteria.since or ALWAYS, self.criteria.event
        return {
            "first": UUID(position) if position else first_uuid7(since),
            "last": first_uuid7(until or self.bound().until or datetime.now(UTC)),
            "names": [event] if event else self.integration.event_names,
        }

    def _rows(self, statement: LiteralString, parameters: dict[str, Any]) -> Iterator[Any]:
        whose = {"integration": self.integration.pk, "token": self.integration.token_id}
        with db.write_cursor() as cursor:
            statement = statement.replace("SWITCHES", SWITCHES).replace("RANGE", RANGE)
            cursor.execute(statement.replace("KNOWN", KNOWN), {**parameters, **whose})
            yield from cursor.fetchall()


def _after(hit_id: UUID) -> str:
    return str(UUID(int=hit_id.int + 1))
