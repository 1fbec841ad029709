"""One request to a vendor: the request, the answer, the duration."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models.integrations.failing import failure_cause
from tracking.models.integrations.integration import Integration


class Attempt(models.Model):
    """A request, partitioned by day on its UUIDv7 id. Its secrets are masked and its bodies cut.

    `duration` is in seconds; `status` is null without an answer. `failed_hits` of the `hits` were
    not delivered by it; 0 for a refused batch that is sent again in halves. Headers and bodies are
    kept of failures, and of successes if the integration keeps bodies.
    """

    id = models.UUIDField(_("id"), primary_key=True)
    token_id = models.BigIntegerField(_("token id"))
    integration = models.ForeignKey(
        Integration,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        verbose_name=_("integration"),
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    hits = models.PositiveIntegerField(_("hits"))
    failed_hits = models.PositiveIntegerField(_("failed hits"), default=0)
    code = models.CharField(_("code"), max_length=50, blank=True)
    message = models.TextField(_("message"), blank=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    duration = models.FloatField(_("duration"))
    method = models.CharField(_("method"), max_length=10, blank=True)
    url = models.TextField(_("url"), blank=True)
    request_headers = models.JSONField(_("request headers"), default=dict)
    request_body = models.TextField(_("request body"), blank=True)
    response_headers = models.JSONField(_("response headers"), default=dict)
    response_body = models.TextField(_("response body"), blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("integration", "id"), name="hitstream_attempt_integration"),
        )
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        """Return the answer in a word; the address is kept of failures only."""
        answer = failure_cause(self.status, self.code, self.message)
        return f"{self.method} {self.url}: {answer}" if self.url else f"Request: {answer}"
