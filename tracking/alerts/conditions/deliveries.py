"""Integrations whose deliveries fail, wait or became dead letters.

The rate is, of the hits of the hours that the rule's minutes lie in,

delivered / (delivered + dead + retrying)

where the ledger gives the first two, and retrying counts failed attempts since then that are still
queued, up to a limit. Deliveries without an attempt do not count, nor do skipped or cancelled ones;
few hits give no rate.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from tracking.models import AlertRule, DeadLetter, Integration, QueuedDelivery
from tracking.models.alerts.alert import Finding
from tracking.models.alerts.rule import MAX_ROWS
from tracking.models.integrations.pause import Cause
from tracking.models.ledger.alert_stats import count_by_result

#: Fewer hits than these give no rate.
LEAST = 20


def of(integration: Integration, message: str) -> Finding:
    return Finding(
        subject=f"integration:{integration.pk}",
        token=integration.token,
        integration=integration,
        message=f"{integration}: {message}",
    )


def find_failing(rule: AlertRule) -> Iterator[Finding]:
    integrations = list(rule.integrations())
    ids = [each.pk for each in integrations]
    since = (timezone.now() - rule.window).replace(minute=0, second=0, microsecond=0)
    counted = count_by_result(ids, since)
    retrying = QueuedDelivery.objects.retrying(ids, since=since, limit=MAX_ROWS)
    for each in integrations:
        delivered, dead = counted[each.pk]["delivered"], max(0, counted[each.pk]["dead"])
        failed = dead + retrying.get(each.pk, 0)
        tried = delivered + failed
        if tried >= LEAST and delivered * 100 < rule.threshold * tried:
            yield of(
                each,
                f"{delivered / tried:.1%} of {tried:,} deliveries worked since {since:%H:%M} UTC; "
                f"{dead:,} are dead letters, {failed - dead:,} are retrying.",
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
