"""Whether every count of an integration is exact."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from tracking.models import Integration, Ledger, Owed, Tally
from tracking.models.reconcile import reconcile


def count(integration: Integration) -> Counter[str]:
    """What the ledger and the tallies say of it, by what was counted."""
    counts: Counter[str] = Counter()
    for model in (Ledger, Tally):
        for what, number in model._default_manager.filter(
            integration_id=integration.pk
        ).values_list("what", "count"):
            counts[what] += number
    return counts


def assert_exact(integration: Integration) -> None:
    """Matched = delivered + skipped + cancelled + dead + owed, and each is what the rows say."""
    counts = count(integration)
    ended = sum(counts[what] for what in ("delivered", "skipped", "cancelled", "dead"))
    assert counts["matched"] == ended + Owed.objects.filter(integration=integration).count()
    assert min(counts.values(), default=0) >= 0
    now = datetime.now(UTC)
    assert reconcile(now - timedelta(days=1), now + timedelta(hours=1)) == []
