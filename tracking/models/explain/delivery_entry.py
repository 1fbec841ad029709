"""An entry of the delivery log: a delivery in its present state, its hit, and its attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.conditions import ATTEMPTED
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.delivery import Delivery, DeliveryState, present
from tracking.models.deliveries.outcome import DeliveryResult, Outcome
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.explain.delivery_scan import Key
from tracking.models.hits.hit import Hit
from tracking.models.integrations.integration import Integration
from tracking.uuid7 import moment_of

#: Fields that only the page of a delivery shows.
BODIES = ("request_headers", "request_body", "response_headers", "response_body")


@dataclass(frozen=True, slots=True)
class LogAttempt:
    """The result of an attempt for this delivery, and the request; None if that is no longer on
    record. `round` counts from 1, and up after each replay."""

    outcome: Outcome
    attempt: Attempt | None
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """`hit` is None if it is not stored any more; `number` counts the attempts since the last
    replay, and `tried` are those on record, the earliest first."""

    delivery: Delivery
    hit: Hit | None
    number: int
    is_claimed: bool
    tried: tuple[LogAttempt, ...]

    @property
    def key(self) -> Key:
        return self.delivery.hit_id, self.delivery.integration_id

    @property
    def integration(self) -> Integration:
        return self.delivery.integration

    @property
    def title(self) -> str:
        """The event."""
        return (self.hit.name or self.hit.type) if self.hit else str(self.delivery.hit_id)

    @property
    def received_at(self) -> datetime:
        return moment_of(self.delivery.hit_id)

    @property
    def limit(self) -> int:
        """The most attempts that the integration makes; at least those that were made."""
        return max(self.integration.max_attempts, self.number)

    @property
    def last(self) -> Attempt | None:
        return self.tried[-1].attempt if self.tried else None

    @property
    def statuses(self) -> list[int]:
        """The HTTP statuses of the last attempts, the earliest first, each run of the same once."""
        found: list[int] = []
        for tried in self.tried:
            status = tried.attempt.status if tried.attempt else None
            if status and found[-1:] != [status]:
                found.append(status)
        return found[-2:]

    @property
    def is_due(self) -> bool:
        since = self.delivery.since
        return since is not None and since <= timezone.now()

    @property
    def can_be_replayed(self) -> bool:
        is_dead = self.delivery.state == DeliveryState.DEAD
        return is_dead and self.integration.deleted_at is None

    @property
    def can_be_retried_now(self) -> bool:
        """Whether the delivery waits only for the time of its next attempt."""
        is_waiting = self.delivery.state == DeliveryState.RETRYING and not self.is_claimed
        return is_waiting and not self.delivery.held_back


def log_entries(keys: Sequence[Key], *, with_bodies: bool = False) -> list[LogEntry]:
    """Return an entry for each of the deliveries that is still on record, in the same order."""
    if not keys:
        return []
    ids = {hit_id for hit_id, _ in keys}
    bounds = {"hit_id__in": ids, "hit_id__gte": min(ids), "hit_id__lte": max(ids)}
    rows = Delivery.objects.filter(**bounds).select_related("integration__token")
    deliveries = by_key(present(rows))
    hits = Hit.objects.defer("payload").filter(pk__in=ids, pk__gte=min(ids), pk__lte=max(ids))
    stored = {hit.pk: hit for hit in hits}
    outcomes = Outcome.objects.filter(**bounds, result__in=ATTEMPTED)
    tried = attempts_by_key(outcomes, {*keys}, with_bodies=with_bodies)
    queued = {
        (row.hit_id, row.integration_id): row for row in QueuedDelivery.objects.filter(**bounds)
    }
    dead = {(row.hit_id, row.integration_id): row for row in DeadLetter.objects.filter(**bounds)}
    return [
        LogEntry(
            delivery=deliveries[key],
            hit=stored.get(key[0]),
            number=number_of(queued.get(key) or dead.get(key), tried.get(key, ())),
            is_claimed=key in queued and is_claimed(queued[key]),
            tried=tried.get(key, ()),
        )
        for key in keys
        if key in deliveries
    ]


Rows = TypeVar("Rows", Delivery, QueuedDelivery, DeadLetter)


def by_key(rows: Iterable[Rows]) -> dict[Key, Rows]:
    return {(row.hit_id, row.integration_id): row for row in rows}


def attempts_by_key(
    outcomes: Iterable[Outcome], keys: set[Key], *, with_bodies: bool
) -> dict[Key, tuple[LogAttempt, ...]]:
    """Return the attempts of each of these deliveries in order of time."""
    wanted = [each for each in outcomes if (each.hit_id, each.integration_id) in keys]
    attempts = Attempt.objects.all() if with_bodies else Attempt.objects.defer(*BODIES)
    ids: set[UUID] = {outcome.attempt_id for outcome in wanted}
    found = {
        attempt.pk: attempt
        for attempt in (
            attempts.filter(pk__in=ids, pk__gte=min(ids), pk__lte=max(ids)) if ids else ()
        )
    }
    tried: dict[Key, list[LogAttempt]] = {}
    for outcome in sorted(wanted, key=lambda each: (each.settled_at, each.attempt_id)):
        before = tried.setdefault((outcome.hit_id, outcome.integration_id), [])
        number = before[-1].round if before else 1
        if before and before[-1].outcome.result == DeliveryResult.DEAD_LETTER:
            number += 1
        before.append(LogAttempt(outcome, found.get(outcome.attempt_id), number))
    return {key: tuple(each) for key, each in tried.items()}


def number_of(row: QueuedDelivery | DeadLetter | None, tried: Sequence[LogAttempt]) -> int:
    """Return how many attempts were made since the last replay: as the row counts them, if the
    delivery is open."""
    if row is not None:
        return row.attempts
    return sum(each.round == tried[-1].round for each in tried)


def is_claimed(queued: QueuedDelivery) -> bool:
    """Return whether a worker is sending it."""
    return queued.claims > 0 and queued.due_at > timezone.now()
