"""Backfill: queue past hits for an integration that has no record of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracking import db
from tracking.conf import conf
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.queue import ALWAYS
from tracking.models.operations.base import BatchOperation, OperationStep
from tracking.models.operations.preview import SAMPLE, Preview, show
from tracking.sql import load
from tracking.uuid7 import first_uuid7, moment_of

#: Hits that one step reads; the integration may have a record of most.
WINDOW = 5000
#: The precision of the time in an id.
MILLISECOND = timedelta(milliseconds=1)

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Candidate:
    hit_id: UUID
    is_new: bool


class Backfill(BatchOperation):
    """Hits in the order of their ids; `position` is the id at which the next step begins."""

    name = "backfill"
    label = pgettext_lazy("operation", "Backfill")
    title = _("Backfill of %(integration)s")
    counted = _("Hits to queue")

    def bound(self) -> Criteria:
        """Return the criteria, bounded now: later hits are queued on arrival, if they are for the
        integration."""
        now = datetime.now(UTC) + MILLISECOND
        return replace(self.criteria, until=min(self.criteria.until or now, now))

    def preview(self) -> Preview:
        """Return the preview. Hits with the same name and switches are decided once."""
        groups = [
            (count, first, last)
            for name, switches, count, first, last in self._rows(
                SQL["count"], self._bounds("", None)
            )
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
        """Queue the next chunk. The youngest hits wait: ids are not in the order of commits."""
        until = self.bound().until or datetime.now(UTC)
        settled = datetime.now(UTC) - timedelta(seconds=conf.COMMIT_LAG)
        looked = list(self._look(position, min(until, settled)))
        taken = [each.hit_id for each in looked if each.is_new][:limit]
        moved = self.enqueue(taken) if taken else 0
        if len(taken) == limit:
            return OperationStep(moved, _after(taken[-1]))
        if len(looked) == WINDOW:
            return OperationStep(moved, _after(looked[-1].hit_id))
        wait = (until - settled).total_seconds()
        position = _after(looked[-1].hit_id) if looked else position
        return OperationStep(moved, position, min(wait, 1.0) if wait > 0 else None)

    def enqueue(self, ids: Sequence[UUID]) -> int:
        """Queue these hits, except those that the integration has a record of, whether it wants
        them or not. Returns how many."""
        bounds = {"ids": list(ids), "first": min(ids), "last": max(ids)}
        moved: int = next(self._rows(SQL["enqueue"], bounds))[0]
        return moved

    def _look(self, position: str, until: datetime | None) -> Iterator[Candidate]:
        """Yield the next hits of the range, for the integration or not."""
        parameters = {**self._bounds(position, until), "limit": WINDOW}
        for hit_id, name, switches, is_known in self._rows(SQL["look"], parameters):
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
            cursor.execute(statement, {**parameters, **whose})
            yield from cursor.fetchall()


def _after(hit_id: UUID) -> str:
    return str(UUID(int=hit_id.int + 1))
