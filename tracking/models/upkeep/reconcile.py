"""Does everything add up? The counts of the ledger against the rows themselves, hour by hour, and
the hits that should have gone somewhere against where they went, each by its id.

All is read in one snapshot, so it is exact while hits come in and go out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from django.db import connections, transaction

from tracking import db
from tracking.models.integrations.integration import Integration
from tracking.models.tokens.token import Token
from tracking.routing.switches import allows, switches
from tracking.uuid7 import first_uuid7

#: Due for so long, to a running integration, and not sent: nobody sends it.
STUCK = timedelta(minutes=10)
CHUNK = 2000

SNAPSHOT: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
COUNTED: LiteralString = """
    CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    SELECT hour, token_id, integration_id, kind, sum(count) AS count
    FROM (
        SELECT hour, token_id, integration_id, kind, count FROM hitstream_ledger
        UNION ALL SELECT hour, token_id, integration_id, kind, count FROM hitstream_tally
    ) AS both_tables
    WHERE hour >= %(since)s AND hour < %(until)s GROUP BY 1, 2, 3, 4
"""
STATES: LiteralString = """
    CREATE TEMPORARY TABLE delivery_state ON COMMIT DROP AS
    SELECT hit_id, integration_id, array_agg(DISTINCT state ORDER BY state) AS states
    FROM (
        SELECT hit_id, integration_id, 'queued' AS state FROM hitstream_queue
        WHERE hit_id >= %(first)s AND hit_id < %(end)s
        UNION ALL SELECT hit_id, integration_id, 'dead' FROM hitstream_deadletter
        WHERE hit_id >= %(first)s AND hit_id < %(end)s
        UNION ALL SELECT hit_id, integration_id, result FROM hitstream_outcome
        WHERE hit_id >= %(first)s AND hit_id < %(end)s
          AND result IN ('delivered', 'skipped', 'cancelled')
    ) AS delivery GROUP BY 1, 2
"""
INDEX: LiteralString = "CREATE INDEX ON delivery_state (hit_id, integration_id)"
WRONG_TOKENS: LiteralString = """
    SELECT hour, token_id, coalesce(counted.count, 0), coalesce(stored.count, 0)
    FROM (
        SELECT hour, token_id,
            sum(CASE kind WHEN 'accepted' THEN count WHEN 'duplicate' THEN -count ELSE 0 END)
                AS count
        FROM counted WHERE integration_id = 0 GROUP BY 1, 2
    ) AS counted
    FULL JOIN (
        SELECT hitstream_hour(id) AS hour, token_id, count(*) AS count FROM hitstream_hit
        WHERE id >= %(first)s AND id < %(end)s GROUP BY 1, 2
    ) AS stored USING (hour, token_id)
    WHERE coalesce(counted.count, 0) <> coalesce(stored.count, 0) ORDER BY 1, 2
"""
# Cancelled on the way to the vendor: it was counted as cancelled.
WRONG_COUNTS: LiteralString = """
    SELECT hour, integration_id, kind, coalesce(counted.count, 0), coalesce(found.count, 0)
    FROM (
        SELECT hour, integration_id, kind, sum(count) AS count
        FROM counted WHERE integration_id <> 0 GROUP BY 1, 2, 3
    ) AS counted
    FULL JOIN (
        SELECT hitstream_hour(hit_id) AS hour, integration_id,
            CASE WHEN 'cancelled' = ANY(states) THEN 'cancelled' ELSE states[1] END AS kind,
            count(*) AS count
        FROM delivery_state WHERE states <> '{queued}' GROUP BY 1, 2, 3
        UNION ALL
        SELECT hitstream_hour(hit_id), integration_id, 'matched', count(*)
        FROM delivery_state GROUP BY 1, 2
    ) AS found USING (hour, integration_id, kind)
    WHERE coalesce(counted.count, 0) <> coalesce(found.count, 0) ORDER BY 1, 2, 3
"""
TWO_STATES: LiteralString = """
    SELECT integration_id, array_to_string(states, ' and '), array_agg(hit_id ORDER BY hit_id)
    FROM delivery_state
    WHERE cardinality(states) > 1 AND states <> '{cancelled,delivered}' GROUP BY 1, 2 ORDER BY 1, 2
"""
STUCK_HITS: LiteralString = """
    SELECT integration_id, array_agg(hit_id ORDER BY hit_id) FROM hitstream_queue
    WHERE integration_id = ANY(%(running)s) AND due_at < statement_timestamp() - %(stuck)s
      AND hit_id >= %(first)s AND hit_id < %(end)s GROUP BY 1 ORDER BY 1
"""
NOWHERE: LiteralString = """
    SELECT hit.id, integration.key::bigint, integration.value ->> 'name',
        integration.value ->> 'destination', (hit.payload -> 'integrations')::text
    FROM hitstream_hit AS hit
    JOIN hitstream_revision AS revision
      ON revision.token_id = hit.token_id AND revision.number = hit.revision
    CROSS JOIN LATERAL jsonb_each(revision.snapshot -> 'integrations') AS integration
    WHERE hit.id >= %(first)s AND hit.id < %(end)s
      AND (integration.value -> 'enabled')::boolean
      AND (integration.value -> 'event_names' = '[]'
           OR integration.value -> 'event_names' ? hit.name)
      AND NOT EXISTS (
          SELECT FROM delivery_state AS delivery
          WHERE delivery.hit_id = hit.id AND delivery.integration_id = integration.key::bigint
      )
    ORDER BY hit.id
"""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """What does not add up, of whom, and which hits; none where only a count is known."""

    whose: str
    what: str
    hits: Sequence[UUID] = ()

    def __str__(self) -> str:
        return f"{self.whose}: {self.what}" + "".join(f"\n    {hit}" for hit in self.hits)


def reconcile(since: datetime, until: datetime) -> list[Discrepancy]:
    """All that does not add up of the hits that arrived from the hour of `since` to `until`."""
    alias = db.write_alias()
    since = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    parameters: dict[str, Any] = {
        "since": since,
        "until": until,
        "first": first_uuid7(since),
        "end": first_uuid7(until),
        "stuck": STUCK,
    }
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        if len(connections[alias].savepoint_ids) == 0:
            cursor.execute(SNAPSHOT)
        cursor.execute(COUNTED, parameters)
        cursor.execute(STATES, parameters)
        cursor.execute(INDEX)
        books = Reconciliation(cursor, parameters)
        return [*books.wrong_counts(), *books.wrong_hits(), *books.nowhere()]


class Reconciliation:
    """Reads the snapshot; the two temporary tables are there."""

    def __init__(self, cursor: Any, parameters: dict[str, Any]) -> None:
        self._cursor, self._parameters = cursor, parameters
        self._integrations = {
            each.pk: str(each) for each in Integration.objects.select_related("token")
        }
        self._tokens = {token.pk: str(token) for token in Token.objects.all()}

    def _rows(self, statement: LiteralString) -> Iterator[tuple[Any, ...]]:
        self._cursor.execute(statement, self._parameters)
        while rows := self._cursor.fetchmany(CHUNK):
            yield from rows

    def _integration(self, pk: int) -> str:
        return self._integrations.get(pk, f"Integration {pk}")

    def wrong_counts(self) -> Iterator[Discrepancy]:
        for hour, token, counted, found in self._rows(WRONG_TOKENS):
            whose = self._tokens.get(token, f"Token {token}")
            yield Discrepancy(
                whose, f"{hour:%Y-%m-%d %H:00}: {counted} hits counted as new, {found} stored"
            )
        for hour, integration, kind, counted, found in self._rows(WRONG_COUNTS):
            yield Discrepancy(
                self._integration(integration),
                f"{hour:%Y-%m-%d %H:00}: {counted} counted as {kind}, {found} found",
            )

    def wrong_hits(self) -> Iterator[Discrepancy]:
        for integration, states, hits in self._rows(TWO_STATES):
            yield Discrepancy(
                self._integration(integration), f"{len(hits)} hits are {states}", hits
            )
        running = Integration.objects.running().values_list("pk", flat=True)
        self._parameters["running"] = list(running)
        for integration, hits in self._rows(STUCK_HITS):
            what = f"{len(hits)} hits are due for more than {STUCK} and nobody sends them"
            yield Discrepancy(self._integration(integration), what, hits)

    def nowhere(self) -> Iterator[Discrepancy]:
        """Hits that the configuration of their time sent somewhere, and that are nowhere."""
        lost: defaultdict[int, list[UUID]] = defaultdict(list)
        for hit, integration, name, destination, said in self._rows(NOWHERE):
            found = switches(msgspec.json.decode(said) or {}) if said else None
            if allows(found, handle=name.lower(), destination=destination):
                lost[integration].append(hit)
        for integration, hits in lost.items():
            what = f"{len(hits)} hits were for it and left no trace"
            yield Discrepancy(self._integration(integration), what, hits)
