"""The backoff of failed deliveries."""

from __future__ import annotations

from random import uniform

#: Seconds of the longest wait; the transport cuts a vendor's Retry-After to a day.
MAX_DELAY = 3 * 86_400.0


def delay(attempts: int, retry_after: float | None, base: float) -> float:
    """Return the seconds until the next attempt after so many: exponential with full jitter, and
    never before the vendor's Retry-After. From a base of 30 s, 15 attempts take about three days.
    """
    longest = min(base * 2 ** min(attempts - 1, 30), MAX_DELAY)
    backoff = uniform(0, longest)  # noqa: S311 (no secret)
    return max(backoff, min(retry_after or 0.0, MAX_DELAY))
