"""The end of a pause: what was held back, and what waits for a retry, is due at once."""

from __future__ import annotations

from tracking.models.deliveries.queue import HASTENED, QueuedDelivery
from tracking.models.integrations.integration import Integration


def resume(integration: Integration, *, by: str, rate_limit: int | None = None) -> None:
    """Resume the integration; with a `rate_limit`, at so many requests/s from now on. The caller
    wakes the dispatcher."""
    integration.resume(by=by, rate_limit=rate_limit)
    retries = QueuedDelivery.objects.filter(integration=integration)
    while retries.hasten() == HASTENED:
        pass
