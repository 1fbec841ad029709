"""Deliveries that were given up, kept until somebody replays them."""

from __future__ import annotations

from typing import LiteralString

from django.db import connections, models, router
from django.utils import timezone

from tracking.models.integration import Integration

#: Why a delivery is given up.
CODES = (
    "permanent",
    "refused",
    "attempts_exhausted",
    "too_old",
    "worker_killed",
    "hit_missing",
)
REPLAY_CHUNK = 5000
REPLAY: LiteralString = """
    WITH replayed AS (
        DELETE FROM tracking_deadletter WHERE id = ANY(%s) RETURNING integration_id, hit_id
    ), owed AS (
        INSERT INTO tracking_owed (integration_id, hit_id, due_at, claims, attempts)
        SELECT integration_id, hit_id, statement_timestamp(), 0, 0 FROM replayed
        ON CONFLICT DO NOTHING
    )
    SELECT FROM replayed
"""


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def replay(self) -> int:
        """The dead letters are due at once, with all their attempts before them; how many."""
        replayed = 0
        while chunk := list(self.order_by().values_list("pk", flat=True)[:REPLAY_CHUNK]):
            with connections[router.db_for_write(DeadLetter)].cursor() as cursor:
                cursor.execute(REPLAY, [chunk])
                replayed += cursor.rowcount
        return replayed


class DeadLetter(models.Model):
    """A delivery that was given up, kept until somebody replays it."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT)
    hit_id = models.UUIDField()
    died_at = models.DateTimeField(default=timezone.now)
    code = models.CharField(max_length=50)
    message = models.TextField()
    attempts = models.PositiveSmallIntegerField()
    attempt_id = models.UUIDField()

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("hit_id", "integration"), name="tracking_deadletter_hit"
            ),
        )

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.message}"
