"""Whether everything adds up: the counts, and what `manage.py reconcile` says of the rows."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from tracking.models import Integration, Ledger, QueuedDelivery, Tally, Token
from tracking.models.upkeep.reconcile import reconcile


def discrepancies() -> list[str]:
    now = datetime.now(UTC)
    return [str(found) for found in reconcile(now - timedelta(days=1), now + timedelta(hours=1))]


def counts(integration: Integration | None = None, token: Token | None = None) -> Counter[str]:
    """The ledger's counts of the integration, of the token, or of all tokens; without those that
    are zero."""
    found: Counter[str] = Counter()
    for model in (Ledger, Tally):
        rows = model._default_manager.filter(integration_id=integration.pk if integration else 0)
        if token is not None:
            rows = rows.filter(token_id=token.pk)
        for kind, count in rows.values_list("kind").annotate(Sum("count")):
            found[kind] += count
    return Counter({kind: count for kind, count in found.items() if count})


def assert_exact(integration: Integration) -> None:
    """Matched = delivered + skipped + cancelled + dead + queued, and each is what the rows say."""
    found = counts(integration)
    ended = sum(found[kind] for kind in ("delivered", "skipped", "cancelled", "dead"))
    assert (
        found["matched"] == ended + QueuedDelivery.objects.filter(integration=integration).count()
    )
    assert min(found.values(), default=0) >= 0
    assert discrepancies() == []
