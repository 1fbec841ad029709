"""The circuit breaker: results in, a Hold out when a destination needs a pause."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tracking.conf import conf
from tracking.delivery.request_pool import BatchResult
from tracking.exceptions import RetryableError, SetupError, blame
from tracking.models import Integration
from tracking.models.integrations.pause import Cause

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause of so many seconds; None: longer with each failed probe."""

    cause: Cause
    reason: str
    seconds: float | None = None


class Breaker:
    """Counts consecutive failed requests. While probing, one opens the breaker."""

    def __init__(self, *, probing: bool) -> None:
        self.probing = probing
        self._failures = 0

    def judge(self, sent: BatchResult) -> Hold | None:
        """Return why sending must stop after this result, None if it may go on."""
        match sent.result:
            case SetupError() as error:
                return Hold(Cause.SETUP, str(error))
            case RetryableError(retry_after=float(seconds)) as error:
                return Hold(Cause.BUSY, str(error), seconds)
            case RetryableError() as error:
                self._failures += 1
                if self.probing or self._failures >= conf.BREAKER_FAILURES:
                    many = (
                        f"{self._failures} requests in a row" if self._failures > 1 else "A probe"
                    )
                    return Hold(Cause.DOWN, f"{many} failed, the last with: {error}")
            case _:
                self._failures = 0
        return None


def hold_back(integration: Integration, error: Exception) -> None:
    """Pause the integration for an error of its configuration or of the destination's own code."""
    reason = str(error) if isinstance(error, SetupError) else blame(error)
    logger.warning("%s is paused: %s", integration, reason)
    Integration.objects.hold(integration, Cause.SETUP, reason)
