"""Deliveries that were given up, kept until somebody replays them."""

from __future__ import annotations

from django.db import models, router, transaction
from django.utils import timezone

from tracking.models.integration import Integration
from tracking.models.owed import Owed


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def replay(self) -> int:
        """The dead letters are due at once, with all their attempts before them; how many."""
        with transaction.atomic(using=router.db_for_write(DeadLetter)):
            letters = list(self.select_for_update().values_list("pk", "integration_id", "hit_id"))
            now = timezone.now()
            Owed.objects.bulk_create(
                [
                    Owed(integration_id=integration_id, hit_id=hit_id, due_at=now)
                    for _, integration_id, hit_id in letters
                ],
                batch_size=1000,
                ignore_conflicts=True,
            )
            DeadLetter.objects.filter(pk__in=[letter[0] for letter in letters]).delete()
            return len(letters)


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
