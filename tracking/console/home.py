"""The home page: how many hits arrive, where they go, and whether anything is in their way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracking.console.access import page, show
from tracking.console.integration_row import in_order, integration_rows
from tracking.console.time_range import TimeRange
from tracking.models import Alert, Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.ledger.ingest_stats import IngestCounts, IngestVolume, hit_rates, ingest_volume
from tracking.models.upkeep import retention
from tracking.models.upkeep.disk import measure

#: The maximum of open alerts on this page; the alerts page has the others.
ALERTS = 3
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
    sources = list(sources_of(scope, volume))
    integrations = scope.limit(Integration.objects.present())
    return show(
        request,
        "home",
        title=gettext("Home"),
        here="home",
        time_range=time_range,
        total=volume.total,
        rate=sum(source.rate for source in sources),
        sources=sources[:ROWS],
        more_sources=max(0, len(sources) - ROWS),
        series=SERIES,
        buckets=buckets_of(volume, time_range),
        rows=integration_rows(in_order(integrations)[:ROWS], time_range.since),
        more_rows=max(0, integrations.count() - ROWS),
        alerts=open_alerts(request, scope),
        disk=measure() if scope.is_all else None,
        held=retention.held() if scope.is_all else None,
    )


def open_alerts(request: HttpRequest, scope: Scope) -> list[Alert]:
    """Return the first open alerts, none for a user who may not view alerts."""
    if not request.user.has_perm("hitstream.view_alert"):
        return []
    return list(scope.limit(Alert.objects.open())[:ALERTS])


@dataclass(frozen=True, slots=True)
class Source:
    """What a token sent; without a token, what senders without a valid token tried to send."""

    token: Token | None
    rate: float
    counts: IngestCounts


def sources_of(scope: Scope, volume: IngestVolume) -> Iterator[Source]:
    """Yield the tokens that exist or sent something, the busiest first; senders without a valid
    token last."""
    rates = hit_rates()
    tokens = scope.limit(Token.objects.all(), "pk")
    sources = [
        Source(token, rates.get(token.pk, 0.0), volume.tokens.get(token.pk, IngestCounts()))
        for token in tokens
        if token.deleted_at is None or token.pk in volume.tokens
    ]
    yield from sorted(sources, key=lambda source: -source.counts.accepted)
    if 0 in volume.tokens:
        yield Source(None, 0.0, volume.tokens[0])


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
