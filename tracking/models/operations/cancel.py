"""Cancel: settle what is queued for a deleted integration without sending it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from tracking import db
from tracking.conf import conf
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.operations import backlog
from tracking.models.operations.base import BatchOperation, OperationStep
from tracking.models.operations.preview import Preview
from tracking.models.upkeep import maintenance
from tracking.sql import load

#: Seconds until deliveries under a live lease are looked at again.
AGAIN = 1.0
SQL = load(__file__)


class Cancel(BatchOperation):
    """In no order and without a position: what is still queued remains to be cancelled."""

    name = "delete"
    label = pgettext_lazy("operation", "Deletion")
    title = _("Deletion of %(integration)s")
    counted = _("Hits to cancel")

    def preview(self) -> Preview:
        return backlog.preview(self.integration)

    def step(self, position: str, limit: int) -> OperationStep:
        moved = maintenance.retry_with_partitions(lambda: self._cancel(limit))
        if moved == limit:
            return OperationStep(moved)
        return OperationStep(moved, "", None if self._is_over() else AGAIN)

    def _cancel(self, limit: int) -> int:
        with db.atomic(), db.write_cursor() as cursor:
            cursor.execute(
                SQL["cancel"],
                {
                    "integration": self.integration.pk,
                    "token": self.integration.token_id,
                    "limit": limit,
                    "attempt": uuid7(),
                    "reason": self.criteria.reason,
                },
            )
            moved: int = cursor.fetchone()[0]
        return moved

    def _is_over(self) -> bool:
        """Return whether nothing is queued, and hits that were being stored during the deletion are
        committed."""
        deleted_at = self.integration.deleted_at or datetime.now(UTC)
        if datetime.now(UTC) - deleted_at < timedelta(seconds=conf.COMMIT_LAG):
            return False
        queued: models.QuerySet[QueuedDelivery] = QueuedDelivery.objects.using(db.write_alias())
        return not queued.filter(integration=self.integration).exists()
