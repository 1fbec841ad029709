"""What became of a hit entry by entry: each attempt, and each end that came without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.outcome import DeliveryResult, Outcome
from tracking.models.hits.hit import Hit

COLOURS = {
    DeliveryResult.DELIVERED: "good",
    DeliveryResult.FAILED: "paused",
    DeliveryResult.BURIED: "bad",
    DeliveryResult.SKIPPED: "off",
    DeliveryResult.CANCELLED: "off",
}
#: Those that a request came before.
ATTEMPTED = (DeliveryResult.DELIVERED, DeliveryResult.FAILED, DeliveryResult.BURIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """What one attempt came to, or what ended the delivery without one, so many seconds `after` the
    hit's arrival. `replayed` is the first that follows a dead letter."""

    outcome: Outcome
    after: float
    attempt: Attempt | None
    replayed: bool

    @property
    def colour(self) -> str:
        """How good it is, in one word that pages give a colour."""
        return COLOURS[DeliveryResult(self.outcome.result)]

    @property
    def is_bare(self) -> bool:
        """Whether a request was made whose record is gone."""
        return self.attempt is None and self.outcome.result in ATTEMPTED


def timeline(hit: Hit, outcomes: Iterable[Outcome]) -> tuple[TimelineEntry, ...]:
    """The outcomes of the hit in the order of time, each with its attempt."""
    ordered = sorted(outcomes, key=lambda each: (each.settled_at, each.attempt_id))
    attempts = Attempt.objects.in_bulk([outcome.attempt_id for outcome in ordered])
    entries: list[TimelineEntry] = []
    dead: set[int] = set()
    for outcome in ordered:
        entry = TimelineEntry(
            outcome=outcome,
            after=(outcome.settled_at - hit.received_at).total_seconds(),
            attempt=attempts.get(outcome.attempt_id),
            replayed=outcome.integration_id in dead,
        )
        entries.append(entry)
        dead.discard(outcome.integration_id)
        if outcome.result == DeliveryResult.BURIED:
            dead.add(outcome.integration_id)
    return tuple(entries)
