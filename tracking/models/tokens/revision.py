"""What a token was configured to do, state by state."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Revision(models.Model):
    """One state of a token's configuration: who made it, when. Hits carry its number."""

    token = models.ForeignKey("tracking.Token", on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=150, blank=True)
    snapshot = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "number"), name="tracking_revision_number"),
        )
        indexes = (models.Index(fields=("made_at",), name="tracking_revision_made"),)

    def __str__(self) -> str:
        return f"{self.token} revision {self.number}"
