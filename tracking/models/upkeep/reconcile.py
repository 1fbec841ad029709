"""The reconciliation: the counts of the ledger against the rows, by quarter of an hour, and the
hits that were for an integration against its deliveries, each by its id.

Everything is read from one snapshot, so the result is exact while hits arrive and leave.
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
from tracking.routing.switches import is_switched_on
from tracking.sql import OF_TOKEN, load
from tracking.uuid7 import first_uuid7, quarter_hour_of

#: A delivery to a running integration that is due for longer than this is stuck.
STUCK = timedelta(minutes=10)
CHUNK = 2000
#: Under which refused requests without a valid token are counted.
NO_TOKEN = 0

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that does not add up: its owner, and the hits; none if only a count differs."""

    whose: str
    what: str
    hits: Sequence[UUID] = ()

    def __str__(self) -> str:
        return f"{self.whose}: {self.what}" + "".join(f"\n    {hit}" for hit in self.hits)


def reconcile(since: datetime, until: datetime) -> list[Discrepancy]:
    """Return everything that does not add up among the hits that arrived from the quarter-hour of
    `since` to `until`."""
    alias = db.write_alias()
    since = quarter_hour_of(since.astimezone(UTC))
    parameters: dict[str, Any] = {
        "since": since,
        "until": until,
        "first": first_uuid7(since),
        "end": first_uuid7(until),
        "stuck": STUCK,
    }
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        if len(connections[alias].savepoint_ids) == 0:
            cursor.execute(SQL["snapshot"])
        if not db.is_distributed():
            cursor.execute(SQL["make_counted"], parameters)
            cursor.execute(SQL["make_delivery_state"], parameters)
            cursor.execute(SQL["make_index"])
        reconciliation = Reconciliation(cursor, parameters)
        return [
            *reconciliation.wrong_counts(),
            *reconciliation.wrong_hits(),
            *reconciliation.nowhere(),
        ]


class Reconciliation:
    """The checks within the snapshot, over the two temporary tables."""

    def __init__(self, cursor: Any, parameters: dict[str, Any]) -> None:
        self._cursor, self._parameters = cursor, parameters
        self._integrations = {
            each.pk: str(each) for each in Integration.objects.select_related("token")
        }
        self._tokens = {token.pk: str(token) for token in Token.objects.all()}

    def _rows(self, check: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the check. Where the tables are distributed, one server looks at all of
        one token: what is written down here is not there."""
        if not db.is_distributed():
            yield from self._found(SQL[check], {})
        else:
            for token in (NO_TOKEN, *self._tokens):
                yield from self._found(SQL[f"{check}_alone{OF_TOKEN}"], {"token": token})

    def _found(self, statement: LiteralString, more: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        self._cursor.execute(statement, {**self._parameters, **more})
        while rows := self._cursor.fetchmany(CHUNK):
            yield from rows

    def _integration(self, pk: int) -> str:
        return self._integrations.get(pk, f"Integration {pk}")

    def wrong_counts(self) -> Iterator[Discrepancy]:
        for at, token, counted, found in self._rows("wrong_tokens"):
            whose = self._tokens.get(token, f"Token {token}")
            yield Discrepancy(
                whose, f"{at:%Y-%m-%d %H:%M}: {counted} hits counted as new, {found} stored"
            )
        for at, integration, kind, counted, found in self._rows("wrong_counts"):
            yield Discrepancy(
                self._integration(integration),
                f"{at:%Y-%m-%d %H:%M}: {counted} counted as {kind}, {found} present",
            )

    def wrong_hits(self) -> Iterator[Discrepancy]:
        for integration, states, hits in self._rows("two_states"):
            yield Discrepancy(
                self._integration(integration), f"{len(hits)} hits are {states}", hits
            )
        running = Integration.objects.running().values_list("pk", flat=True)
        self._parameters["running"] = list(running)
        for integration, hits in self._found(SQL["stuck_hits"], {}):
            what = f"{len(hits)} hits are due for more than {STUCK} and nobody sends them"
            yield Discrepancy(self._integration(integration), what, hits)

    def nowhere(self) -> Iterator[Discrepancy]:
        """Yield hits that were for an integration when they arrived, and have no delivery."""
        lost: defaultdict[int, list[UUID]] = defaultdict(list)
        for hit, integration, name, destination, said in self._rows("nowhere"):
            integrations = msgspec.json.decode(said) if said else None
            if is_switched_on(integrations, handle=name.lower(), destination=destination):
                lost[integration].append(hit)
        for integration, hits in lost.items():
            what = f"{len(hits)} hits were for it and left no trace"
            yield Discrepancy(self._integration(integration), what, hits)
