"""One box for everything that a hit may be known by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tracking.conf import conf
from tracking.console.access import page, show
from tracking.models.access.scope import Scope
from tracking.models.explain.search import REACH, SHOWN
from tracking.models.explain.search import search as search_hits
from tracking.models.ledger.ingest_stats import IngestCounts, ingest_volume

#: Refusals of so many hours are told where nothing is found.
HOURS = 24


@page("view_hit")
def search(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The hit's own page where its id was given, else a list, or why there may be none."""
    term = request.GET.get("q", "").strip()
    results = search_hits(term, scope)
    if len(results) == 1 and results[0].is_by_id:
        return redirect("hitstream-console:hit", results[0].hit.pk)
    counts = recent_counts(scope) if term and not results else IngestCounts()
    return show(
        request,
        "search",
        title="Search",
        here="search",
        term=term,
        results=results,
        shown=SHOWN,
        reach=None if scope.is_all else REACH,
        counts=counts,
        reasons=sorted(counts.reasons.items(), key=lambda reason: -reason[1]),
        hours=HOURS,
        dedup_days=conf.DEDUP_WINDOW / 86_400,
        hit_days=conf.HIT_DAYS,
    )


def recent_counts(scope: Scope) -> IngestCounts:
    """What came in, and what was refused, as far as it is seen."""
    return ingest_volume(datetime.now(UTC) - timedelta(hours=HOURS), scope.token_ids).total
