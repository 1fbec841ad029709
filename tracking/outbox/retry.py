"""When a delivery that could not be made is tried again."""

from __future__ import annotations

import random

from tracking.conf import conf

#: The longest wait that a vendor's Retry-After is believed, in seconds.
MAX_RETRY_AFTER = 86_400.0


def delay(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next attempt after so many: exponential with full jitter, and never before
    the vendor's own Retry-After. From a base of 30 s, 15 attempts take about three days."""
    backoff = random.uniform(0, conf.RETRY_BASE * 2 ** (attempts - 1))  # noqa: S311 (no secret)
    return max(backoff, min(retry_after or 0.0, MAX_RETRY_AFTER))
