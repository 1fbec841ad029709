"""The delivery log: one entry for each delivery, the latest hit first, by any filter.

The order is that of arrival, which the ids of hits keep: pages are cut by key, and each of the
tables that hold deliveries has an index in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Q
from django.utils import timezone

from tracking.models.access.scope import Scope
from tracking.models.deliveries.conditions import ATTEMPTED, FAILURES, Conditions, outcomes_of_row
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.delivery import DeliveryState
from tracking.models.deliveries.outcome import DeliveryResult, Outcome
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.explain.delivery_entry import LogEntry, log_entries
from tracking.models.explain.delivery_scan import (
    HIGHEST,
    LOWEST,
    MOST,
    Key,
    Lookup,
    OutOfTime,
    RowSource,
    Scan,
    bounded,
)
from tracking.models.hits.hit import Hit
from tracking.models.integrations.integration import Integration
from tracking.uuid7 import first_uuid7

#: Entries of a page, and the number that a count goes up to.
SIZE, COUNTED = 50, 10_000
#: Seconds that the search for a page and a count may take, and the choice of their way.
PAGE_SECONDS, COUNT_SECONDS, CHOICE_SECONDS = 0.13, 1.5, 0.03
#: An event or a user with so few hits is looked up first, beside any other filter.
RARE = 1_000
#: Integrations whose rows are read one integration at a time.
FEW = 8
NOT_DELIVERED = ~Q(result=DeliveryResult.DELIVERED)
FINAL = (DeliveryResult.DELIVERED, DeliveryResult.SKIPPED, DeliveryResult.CANCELLED)
Walk = Iterator[tuple[Key, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A filter of the log. The hits arrived from `since` to before `until`."""

    scope: Scope
    integration: Integration | None = None
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    conditions: Conditions = field(default_factory=Conditions)

    def scan(self, seconds: float, start: Key | None = None, *, upwards: bool = False) -> Scan:
        return Scan(
            first=first_uuid7(self.since) if self.since else LOWEST,
            last=UUID(int=first_uuid7(self.until).int - 1) if self.until else HIGHEST,
            start=start,
            upwards=upwards,
            seconds=seconds,
        )

    def walk(self, scan: Scan) -> Walk:
        """Yield the deliveries that may match, each with whether it does. Raises OutOfTime."""
        wanted = self.conditions
        if not ((wanted.event or wanted.user) and self._begins_with_hits()):
            return scan.merge([scan.deliveries(source) for source in self._sources()])
        beside = wanted.of_hit_beside_index()
        hits = scan.hits_of(wanted.of_hit_by_index(), self._of_tokens() & beside)
        return scan.merge([scan.deliveries_of_hits(hits, self._sources_of_hits())])

    def _begins_with_hits(self) -> bool:
        """Whether the hits of the event or the user are the shortest way."""
        if self.state in ("", DeliveryState.DELIVERED) and not self.conditions.concern_attempts:
            return True
        try:
            with bounded(CHOICE_SECONDS):
                return all(self._are_few(way) for way in self.conditions.of_hit_by_index())
        except OutOfTime:
            return False

    def _are_few(self, way: Q) -> bool:
        hits = Hit.objects.filter(way).order_by("-id").values("pk")
        if self.since:
            hits = hits.filter(pk__gte=first_uuid7(self.since))
        return len(hits[: RARE + 1]) <= RARE

    def _of_tokens(self) -> Q:
        if self.integration:
            return Q(token_id=self.integration.token_id)
        tokens = self.scope.token_ids
        return Q() if tokens is None else Q(token_id__in=sorted(tokens))

    def _sources_of_hits(self) -> list[RowSource]:
        """Return the tables to read for hits of the tokens in sight."""
        mine = Q(integration_id=self.integration.pk) if self.integration else Q()
        return [*self._tables(Q(), mine)]

    def _sources(self) -> list[RowSource]:
        """Return the tables to read, each in the order of the hits."""
        parts = self._parts()
        if len(parts) > FEW:
            return [*self._tables(Q(), Q(integration_id__in=parts))]
        if not parts:
            return [*self._tables(Q(), Q())]
        return [source for pk in parts for source in self._tables(Q(integration_id=pk), Q())]

    def _tables(self, indexed: Q, narrow: Q) -> Iterator[RowSource]:
        """Yield each table that may hold the deliveries of these integrations: `indexed` if the
        index of the outcomes by integration answers the condition, `narrow` if not."""
        wanted, state, mine = self.conditions, self.state, indexed & narrow
        queued, dead = QueuedDelivery.objects.all(), DeadLetter.objects.all()
        outcomes, of_row, of_outcome = (
            Outcome.objects.all(),
            wanted.of_row_beside_hit(),
            wanted.of_outcome(),
        )
        hits = [Lookup("hit_id", wanted.hits_among)] if wanted.event or wanted.user else []
        attempts = [Lookup("attempt_id", wanted.attempts_among)]
        answers = hits + (attempts if wanted.status or wanted.answer else [])
        if state == DeliveryState.DEAD:
            yield RowSource(dead, Q(), mine, of_row, hits)
        elif state == DeliveryState.QUEUED:
            yield RowSource(queued, Q(), mine & Q(attempts=0), of_row, hits)
        elif state == DeliveryState.RETRYING:
            yield RowSource(queued, Q(), mine & Q(attempts__gt=0), of_row, hits)
        elif state in (DeliveryState.SKIPPED, DeliveryState.CANCELLED):
            # Such an outcome followed no request: the others of the delivery did.
            yield RowSource(outcomes, NOT_DELIVERED, mine & Q(result=state), of_row, hits)
        elif wanted.concern_attempts:
            fits = self._delivered() & of_outcome
            if self._need_failures():
                failed = mine & Q(result__in=FAILURES)
                yield RowSource(outcomes, NOT_DELIVERED, failed, fits, answers)
            else:
                attempted = narrow & Q(result__in=ATTEMPTED)
                yield RowSource(outcomes, indexed, attempted, fits, answers)
        elif state == DeliveryState.DELIVERED:
            delivered = narrow & Q(result=DeliveryResult.DELIVERED)
            yield RowSource(outcomes, indexed, delivered, of_outcome, hits)
        else:
            yield RowSource(queued, Q(), mine, of_row, hits)
            yield RowSource(dead, Q(), mine, of_row, hits)
            yield RowSource(outcomes, indexed, narrow & Q(result__in=FINAL), of_outcome, hits)

    def _need_failures(self) -> bool:
        """Whether only deliveries with a failed attempt can match."""
        wanted = self.conditions
        return not wanted.accept_success or bool(wanted.answer and not self._keeps_bodies())

    def _delivered(self) -> Q:
        if self.state != DeliveryState.DELIVERED:
            return Q()
        return Q(Exists(outcomes_of_row().filter(result=DeliveryResult.DELIVERED)))

    def _keeps_bodies(self) -> bool:
        """Whether answers of delivered requests are kept."""
        if self.integration:
            return self.integration.keep_bodies
        return self.scope.limit(Integration.objects.filter(keep_bodies=True)).exists()

    def _parts(self) -> list[int]:
        """Return the integrations to read, deleted ones included; none for all."""
        if self.integration:
            return [self.integration.pk]
        if self.scope.is_all:
            return []
        return sorted(self.scope.limit(Integration.objects.values_list("pk", flat=True))) or [0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Entries, the latest first. `older` and `newer` are keys beyond which there are more. `looked`
    is the key up to which the search came in its time, None if it came to its end."""

    entries: list[LogEntry]
    older: Key | None
    newer: Key | None
    looked: Key | None


def log_page(query: LogQuery, start: Key | None = None, *, upwards: bool = False) -> LogPage:
    """Return the page before the key or, upwards, the one after it."""
    found, looked = list[Key](), start or (first_uuid7(timezone.now()), MOST)
    is_whole = False
    try:
        for key, fits in query.walk(query.scan(PAGE_SECONDS, start, upwards=upwards)):
            looked = key
            if fits:
                found.append(key)
            if len(found) > SIZE:
                break
        is_whole = True
    except OutOfTime:
        pass
    has_more = len(found) > SIZE
    keys = sorted(found[:SIZE], reverse=True)
    before, after = (keys[-1], keys[0]) if keys else (start, start)
    return LogPage(
        entries=log_entries(keys),
        older=before if (upwards or has_more) else None,
        newer=after if (has_more if upwards else start is not None) else None,
        looked=None if is_whole else looked,
    )


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many deliveries match; of more than COUNTED, that many. `is_whole`: the count came to its
    end in time."""

    number: int
    is_whole: bool

    @property
    def is_more(self) -> bool:
        return self.number > COUNTED


def log_count(query: LogQuery) -> LogCount:
    number = 0
    try:
        for _, fits in query.walk(query.scan(COUNT_SECONDS)):
            number += fits
            if number > COUNTED:
                break
    except OutOfTime:
        return LogCount(number, is_whole=False)
    return LogCount(number, is_whole=True)
