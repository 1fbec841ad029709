"""When to leave a destination alone for a while: results in, a Hold out where one is due."""

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
    """Nothing shall be sent for so many seconds; None: longer with each probe in vain."""

    cause: Cause
    reason: str
    seconds: float | None = None


class Breaker:
    """Counts failed requests in a row. While probing, one is enough."""

    def __init__(self, *, probing: bool) -> None:
        self.probing = probing
        self._failures = 0

    def judge(self, sent: BatchResult) -> Hold | None:
        """Why nothing more shall be sent after this result, None if all is well."""
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
    """It is paused for what its configuration, or the destination's own code, has done."""
    reason = str(error) if isinstance(error, SetupError) else blame(error)
    logger.warning("%s is paused: %s", integration, reason)
    Integration.objects.hold(integration, Cause.SETUP, reason)
