"""The timeline of a hit: each attempt, and each end of a delivery without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.outcome import DeliveryResult, Outcome
from tracking.models.hits.hit import Hit

COLOURS = {
    DeliveryResult.DELIVERED: "good",
    DeliveryResult.FAILED: "paused",
    DeliveryResult.DEAD_LETTER: "bad",
    DeliveryResult.SKIPPED: "off",
    DeliveryResult.CANCELLED: "off",
}
#: The results that follow a request.
ATTEMPTED = (DeliveryResult.DELIVERED, DeliveryResult.FAILED, DeliveryResult.DEAD_LETTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """The result of one attempt, or the end of a delivery without one, `after` that many seconds
    since the hit arrived. `replayed` marks the first entry after a dead letter."""

    outcome: Outcome
    after: float
    attempt: Attempt | None
    replayed: bool

    @property
    def colour(self) -> str:
        """The name of the result's colour."""
        return COLOURS[DeliveryResult(self.outcome.result)]

    @property
    def is_bare(self) -> bool:
        """Whether the record of a request is gone."""
        return self.attempt is None and self.outcome.result in ATTEMPTED


def timeline(hit: Hit, outcomes: Iterable[Outcome]) -> tuple[TimelineEntry, ...]:
    """Return the outcomes of the hit in order of time, each with its attempt."""
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
        if outcome.result == DeliveryResult.DEAD_LETTER:
            dead.add(outcome.integration_id)
    return tuple(entries)
