"""The log's record of failed requests: one for each integration in a while, however many fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from tracking import process
from tracking.delivery.request_pool import BatchResult
from tracking.events import Event
from tracking.log_fields import log_fields
from tracking.models import Integration
from tracking.models.deliveries.settle import AttemptRecord

logger = logging.getLogger(__name__)

#: Seconds between two records of one integration.
RECORD_EVERY = 10.0


def fields_of(
    integration: Integration, events: Sequence[Event] = (), *, status: int | None = None
) -> dict[str, Any]:
    """Return the fields of a log record about the integration, and about these events of it."""
    return log_fields(
        hits=(event.id for event in events),
        integration=integration.pk,
        tokens=[integration.token_id],
        status=status,
    )


class FailureLog:
    """Counts what it does not log, and says so in the integration's next record."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._due: dict[int, float] = {}
        self._left_out: dict[int, int] = {}

    def note(self, sent: BatchResult, integration: Integration, attempt: AttemptRecord) -> None:
        """Log the request if it failed. The vendor's words, which may quote a hit, stay in the
        record of the attempt."""
        if not isinstance(sent.result, Exception):
            return
        pk, now = integration.pk, time.monotonic()
        if now < self._due.get(pk, 0.0):
            self._left_out[pk] = self._left_out.get(pk, 0) + 1
            return
        self._due[pk] = now + RECORD_EVERY
        logger.info(
            "%s: a request failed (%s, status %s, hits: %s; unrecorded failures before: %s)",
            integration,
            attempt.code,
            attempt.status,
            len(sent.batch.events),
            self._left_out.pop(pk, 0),
            extra=fields_of(integration, sent.batch.events, status=attempt.status),
        )


failure_log = FailureLog()
process.on_forget(failure_log.clear)
