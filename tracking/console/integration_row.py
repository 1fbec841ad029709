"""An integration in numbers: a row of the tables, the tiles of its own page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.utils.safestring import SafeString

from tracking.console.time_range import TimeRange
from tracking.console.trend import Trend, trends
from tracking.models import Integration, LifetimeTotal
from tracking.models.integrations.failing import FAILING
from tracking.models.ledger.delivery_stats import (
    MANY,
    Latency,
    Waiting,
    count_by_result,
    count_waiting,
    measure_latency,
)
from tracking.models.ledger.totals import Balance
from tracking.presentation.pill import state_of_integration


@dataclass(frozen=True, slots=True)
class IntegrationRow:
    """An integration and its numbers. `sent` counts results of the hits since some moment."""

    integration: Integration
    state: SafeString
    sent: Mapping[str, int]
    balance: Balance
    waiting: Waiting
    latency: Latency | None
    trend: Trend

    @property
    def pending(self) -> int:
        """Deliveries waiting for their first attempt. An upper bound once `retrying` has hit its
        counting limit."""
        return max(0, self.balance.queued - self.waiting.retrying)

    @property
    def are_many(self) -> bool:
        """Whether more deliveries may be retrying than were counted."""
        return self.waiting.retrying >= MANY


def in_order(integrations: QuerySet[Integration]) -> QuerySet[Integration]:
    """Return the paused integrations first, the latest pause at the top; then the failing ones, and
    the others by the names of token and integration."""
    is_failing = ExpressionWrapper(Q(consecutive_failures__gte=FAILING), BooleanField())
    return integrations.select_related("token").order_by(
        F("paused_at").desc(nulls_last=True),
        is_failing.desc(),
        "token__name",
        "name",
    )


def integration_rows(
    integrations: Iterable[Integration], time_range: TimeRange
) -> list[IntegrationRow]:
    """Return a row for each integration, in the same order."""
    integrations = list(integrations)
    ids = [integration.pk for integration in integrations]
    results, balances, waiting, latencies, trend = (
        count_by_result(ids, time_range.since),
        LifetimeTotal.objects.balances(),
        count_waiting(ids),
        measure_latency(ids),
        trends(ids, time_range),
    )
    span = time_range.now - time_range.since

    def rejected(pk: int) -> int:
        return balances.get(pk, Balance({}))["dead"] if trend[pk].is_rejected(span) else 0

    return [
        IntegrationRow(
            integration,
            state_of_integration(integration, rejected=rejected(integration.pk)),
            results.get(integration.pk, {}),
            balances.get(integration.pk, Balance({})),
            waiting.get(integration.pk, Waiting()),
            latencies.get(integration.pk),
            trend[integration.pk],
        )
        for integration in integrations
    ]
