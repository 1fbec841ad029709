"""One request to a vendor: the request, the answer, the duration."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tracking.models.integrations.failing import failure_cause
from tracking.models.integrations.integration import Integration


class Attempt(models.Model):
    """A request, partitioned by day on its UUIDv7 id. Its secrets are masked and its bodies cut.

    `duration` is in seconds; `status` is null without an answer. `failed_hits` of the `hits` were
    not delivered by it; 0 for a refused batch that is sent again in halves. Headers and bodies are
    kept of failures, and of successes if the integration keeps bodies.
    """

    id = models.UUIDField(primary_key=True)
    token_id = models.BigIntegerField()
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    made_at = models.DateTimeField(default=timezone.now)
    hits = models.PositiveIntegerField()
    failed_hits = models.PositiveIntegerField(default=0)
    code = models.CharField(max_length=50, blank=True)
    message = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    duration = models.FloatField()
    method = models.CharField(max_length=10, blank=True)
    url = models.TextField(blank=True)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("integration", "id"), name="hitstream_attempt_integration"),
        )

    def __str__(self) -> str:
        """Return the answer in a word; the address is kept of failures only."""
        answer = failure_cause(self.status, self.code, self.message)
        return f"{self.method} {self.url}: {answer}" if self.url else f"Request: {answer}"
