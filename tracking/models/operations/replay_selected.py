"""Replay of dead letters that an operator selected one by one, at once and on record."""

from __future__ import annotations

from tracking import db
from tracking.models.deliveries.dead_letter import DeadLetterQuerySet
from tracking.models.integrations.integration import Integration
from tracking.models.operations.operation import Operation
from tracking.models.operations.replay import Replay


def replay_chosen(letters: DeadLetterQuerySet, *, by: str, message: str) -> int:
    """Queue the selected dead letters again. Returns how many. Each integration gets a finished
    operation."""
    replayed = 0
    whose = Integration.objects.filter(pk__in=letters.order_by().values("integration"))
    for integration in whose.order_by("pk"):
        with db.atomic():
            done = letters.filter(integration=integration).replay()
            if done:
                Operation.objects.record(Replay, integration, done=done, by=by, message=message)
        replayed += done
    return replayed
