"""When a delivery that could not be made is tried again."""

from __future__ import annotations

import random

#: The longest wait, be it ours or the vendor's wish, in seconds.
MAX_DELAY = 3 * 86_400.0


def delay(attempts: int, retry_after: float | None, base: float) -> float:
    """Seconds until the next attempt after so many: exponential with full jitter, and never before
    the vendor's own Retry-After. From a base of 30 s, 15 attempts take about three days."""
    longest = min(base * 2 ** min(attempts - 1, 30), MAX_DELAY)
    backoff = random.uniform(0, longest)  # noqa: S311 (no secret)
    return max(backoff, min(retry_after or 0.0, MAX_DELAY))
