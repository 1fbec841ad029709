"""Whether everything adds up, as `manage.py reconcile` sees it."""

from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from tracking.models import Integration, Ledger, Tally
from tracking.models.reconcile import reconcile


def discrepancies() -> list[str]:
    now = datetime.now(UTC)
    return [str(found) for found in reconcile(now - timedelta(days=1), now + timedelta(hours=1))]


def counts(integration: Integration | None = None) -> dict[str, int]:
    """The ledger's counts of the integration, or of all tokens; without those that are zero."""
    found: dict[str, int] = {}
    for model in (Ledger, Tally):
        rows = model.objects.filter(integration_id=integration.pk if integration else 0)
        for what, count in rows.values_list("what").annotate(Sum("count")):
            found[what] = found.get(what, 0) + count
    return {what: count for what, count in found.items() if count}
