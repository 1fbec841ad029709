"""Integrations whose deliveries fail, wait or became dead letters.

Deliveries fail if an integration's last requests failed in a row, or if of the hits that its
requests of the last minutes tried to deliver too few were delivered. Skipped and cancelled
deliveries are not tried, and few tries give no rate.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from tracking.models import AlertRule, DeadLetter, Integration, QueuedDelivery
from tracking.models.alerts.alert import Finding
from tracking.models.alerts.rule import MAX_ROWS
from tracking.models.integrations.pause import Cause
from tracking.models.ledger.alert_stats import AttemptCounts, count_attempts

#: Fewer tries than these give no rate; so many failed requests in a row need none.
LEAST, IN_A_ROW = 20, 5


def of(integration: Integration, message: str) -> Finding:
    return Finding(
        subject=f"integration:{integration.pk}",
        token=integration.token,
        integration=integration,
        message=f"{integration}: {message}",
    )


def find_failing(rule: AlertRule) -> Iterator[Finding]:
    integrations = list(rule.integrations())
    since = timezone.now() - rule.window
    counted = count_attempts([each.pk for each in integrations], since, limit=MAX_ROWS)
    for each in integrations:
        counts = counted.get(each.pk, AttemptCounts())
        if each.consecutive_failures >= IN_A_ROW:
            yield of(each, each.failure_text)
        elif counts.tried >= LEAST and counts.delivered * 100 < rule.threshold * counts.tried:
            yield of(
                each,
                f"{counts.delivered / counts.tried:.1%} of {counts.tried:,} attempts of the last "
                f"{rule.minutes:,} minutes delivered their hit.",
            )


def find_backlogs(rule: AlertRule) -> Iterator[Finding]:
    integrations = list(rule.integrations())
    oldest = QueuedDelivery.objects.oldest_by_integration([each.pk for each in integrations])
    now = timezone.now()
    for each in integrations:
        since = oldest.get(each.pk)
        if since is not None and now - since >= rule.window:
            minutes = int((now - since).total_seconds() // 60)
            why = f" It is paused: {each.paused_reason}" if each.paused_at else ""
            yield of(each, f"The oldest hit is queued for {minutes:,} minutes.{why}")


def find_paused(rule: AlertRule) -> Iterator[Finding]:
    until = timezone.now() - rule.window
    for each in rule.integrations().filter(paused_at__lte=until):
        cause = Cause(each.paused_cause or Cause.OPERATOR)
        by = f" ({each.paused_by})" if cause == Cause.OPERATOR and each.paused_by else ""
        reason = f": {each.paused_reason}" if each.paused_reason else "."
        yield of(each, f"{cause.label}{by}{reason}")


def find_dead_letters(rule: AlertRule) -> Iterator[Finding]:
    integrations = list(rule.integrations())
    since = timezone.now() - rule.window
    died = DeadLetter.objects.died([each.pk for each in integrations], since, limit=MAX_ROWS)
    for each in integrations:
        count = died.get(each.pk, 0)
        if count > rule.threshold:
            many = f"{count:,} or more" if count == MAX_ROWS else f"{count:,}"
            yield of(
                each,
                f"{many} new dead letter{'s' * (count != 1)} in the last {rule.minutes} minutes. "
                "Replay after fixing the cause.",
            )
