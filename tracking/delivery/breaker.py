"""The circuit breaker: results in, a Hold out when a destination needs a pause."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from msgspec.structs import replace

from tracking.conf import conf
from tracking.delivery.failure_log import fields_of
from tracking.delivery.request_pool import BatchResult
from tracking.exceptions import RetryableError, SetupError, blame
from tracking.models import Integration
from tracking.models.deliveries.settle import AttemptRecord
from tracking.models.integrations.failing import Streak, failure_text
from tracking.models.integrations.pause import Cause

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause of so many seconds; None: longer with each failed probe."""

    cause: Cause
    reason: str
    seconds: float | None = None


class Breaker:
    """Counts failed requests in a row, on from what earlier runs of any worker have counted. While
    probing, one opens the breaker."""

    def __init__(self, integration: Integration) -> None:
        self.probing = integration.paused_at is not None
        self._persisted = integration.consecutive_failures
        self._streak = Streak()

    @property
    def failures(self) -> int:
        """Failed requests since the last successful one."""
        return self._streak.failures + (0 if self._streak.recovered else self._persisted)

    @property
    def streak(self) -> Streak | None:
        """What is to be persisted; None if nothing has changed."""
        has_changed = self._streak.failures or (self._streak.recovered and self._persisted)
        return self._streak if has_changed else None

    def persisted(self, failures: int | None) -> None:
        """Take note that the streak is persisted, and how many failures that makes."""
        if failures is not None:
            self._persisted, self._streak = failures, Streak()

    def judge(self, sent: BatchResult, attempt: AttemptRecord) -> Hold | None:
        """Return why sending must stop after this result, None if it may go on."""
        match sent.result:
            case RetryableError(retry_after=float(seconds)):
                return Hold(Cause.BUSY, attempt.message, seconds)
            case _ if not sent.is_failure:
                self._streak = Streak(recovered=True)
                return None
        self._fail(attempt)
        if isinstance(sent.result, SetupError):
            return Hold(Cause.SETUP, attempt.message)
        if self.failures >= conf.BREAKER_FAILURES:
            return Hold(Cause.DOWN, failure_text(self.failures, attempt.message))
        if self.probing:
            return Hold(Cause.DOWN, f"A probe failed with: {attempt.message}")
        return None

    def _fail(self, attempt: AttemptRecord) -> None:
        self._streak = replace(
            self._streak,
            failures=self._streak.failures + 1,
            since=self._streak.since or attempt.made_at,
            status=attempt.status,
            code=attempt.code,
            message=attempt.message,
        )


def hold_back(integration: Integration, error: Exception) -> None:
    """Pause the integration for an error of its configuration or of the destination's own code."""
    reason = str(error) if isinstance(error, SetupError) else blame(error)
    logger.warning("%s is paused: %s", integration, reason, extra=fields_of(integration))
    Integration.objects.hold(integration, Cause.SETUP, reason)
