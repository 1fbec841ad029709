"""The home page: what needs attention, how many hits arrive, and where they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.console.access import page, show
from tracking.console.attention import attention
from tracking.console.integration_row import in_order, integration_rows
from tracking.console.setup import checklist_for_home
from tracking.console.time_range import TimeRange
from tracking.console.trend import trend_of_all, trends
from tracking.models import FileImport, Integration, LifetimeTotal, Token
from tracking.models.access.scope import Scope
from tracking.models.ledger.ingest_stats import (
    MINUTE,
    IngestCounts,
    IngestVolume,
    hit_rates,
    ingest_volume,
    stored_between,
)
from tracking.models.upkeep import retention
from tracking.models.upkeep.disk import measure

#: The maximum of tokens, and of integrations, on this page.
ROWS = 50
#: The series that the chart stacks, each with its label and the number of its colour.
SERIES = {
    "stored": (_("Stored"), 1),
    "duplicate": (_("Duplicate"), 6),
    "refused": (_("Refused"), 3),
}


@page("view_token", "view_integration")
def home(request: HttpRequest, scope: Scope) -> HttpResponse:
    time_range = TimeRange.of(request)
    volume = ingest_volume(time_range.since, scope.token_ids)
    span = time_range.now - time_range.since
    before = stored_between(time_range.since - span, time_range.since, scope.token_ids)
    sources = list(sources_of(scope, volume))
    integrations = scope.limit(Integration.objects.present())
    ids = list(integrations.values_list("pk", flat=True))
    rows = integration_rows(in_order(integrations)[:ROWS], time_range)
    return show(
        request,
        "home",
        title=gettext("Home"),
        here="home",
        setup=checklist_for_home(request, scope),
        time_range=time_range,
        total=volume.total,
        rate=sum(source.rate or 0 for source in sources),
        growth=growth_of(volume.total.stored, before),
        trend=trend_of_all(trends(ids, time_range).values()),
        slowest=max(rows, key=lambda row: row.latency.p95 if row.latency else -1, default=None),
        waiting=queued_of(ids),
        oldest=min((row.waiting.oldest for row in rows if row.waiting.oldest), default=None),
        attention=attention(
            request,
            scope,
            rows=rows,
            refused=volume.total,
            held=retention.held() if scope.is_all else None,
            disk=measure() if scope.is_all else None,
        ),
        sources=sources[:ROWS],
        more_sources=max(0, len(sources) - ROWS),
        series=SERIES,
        buckets=buckets_of(volume, time_range),
        rows=rows,
        more_rows=max(0, len(ids) - ROWS),
    )


def growth_of(now: int, before: int) -> float | None:
    """Return the growth in per cent; None without anything before."""
    return (now - before) / before * 100 if before else None


def queued_of(ids: Iterable[int]) -> int:
    """Return how many deliveries of these integrations are queued."""
    balances = LifetimeTotal.objects.balances()
    return sum(balances[pk].queued for pk in ids if pk in balances)


@dataclass(frozen=True, slots=True)
class Source:
    """What a token sent; without a token, what senders without a valid token tried to send.
    `rate` is None while the hits that arrive are those of an import."""

    token: Token | None
    rate: float | None
    counts: IngestCounts


def sources_of(scope: Scope, volume: IngestVolume) -> Iterator[Source]:
    """Yield the tokens that exist or sent something, the busiest first; senders without a valid
    token last. A deleted token without its hits sent nothing."""
    rates = rates_of_senders()
    tokens = scope.limit(Token.objects.all(), "pk")
    sources = [
        Source(token, rates.get(token.pk, 0.0), volume.tokens.get(token.pk, IngestCounts()))
        for token in tokens
        if token.deleted_at is None or volume.tokens.get(token.pk, IngestCounts()) != IngestCounts()
    ]
    yield from sorted(sources, key=lambda source: -source.counts.accepted)
    if 0 in volume.tokens:
        yield Source(None, 0.0, volume.tokens[0])


def rates_of_senders() -> dict[int, float | None]:
    """Return the hits/min of each token, None for a token into which a file is imported: its many
    hits would also leave the others too short a time."""
    rates = hit_rates()
    imports = FileImport.objects.active(timedelta(seconds=MINUTE)).filter(token__in=list(rates))
    imported = set(imports.values_list("token_id", flat=True))
    if not imported:
        return {**rates}
    return {**hit_rates(without=imported), **dict.fromkeys(imported)}


def buckets_of(volume: IngestVolume, time_range: TimeRange) -> list[tuple[datetime, list[int]]]:
    """Return the counts of SERIES for each hour or day of the time range."""
    filled = {bucket: [0] * len(SERIES) for bucket in time_range.buckets()}
    for at, counts in volume.quarters.items():
        sums = filled.setdefault(time_range.bucket_of(at), [0] * len(SERIES))
        duplicate = counts.get("duplicate", 0)
        sums[0] += counts.get("accepted", 0) - duplicate
        sums[1] += duplicate
        sums[2] += counts.get("refused", 0)
    return sorted(filled.items())
