"""The search box: hits by each of their identifiers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from tracking.conf import conf
from tracking.console.access import page, show
from tracking.models.access.scope import Scope
from tracking.models.explain.search import REACH, SHOWN
from tracking.models.explain.search import search as search_hits
from tracking.models.ledger.ingest_stats import IngestCounts, ingest_volume

#: An empty result shows the refusals of this many hours.
HOURS = 24


@page("view_hit")
def search(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Redirect to the hit if the term is its id, else return the list, or the possible reasons for
    an empty one."""
    term = request.GET.get("q", "").strip()
    results = search_hits(term, scope)
    if len(results) == 1 and results[0].is_by_id:
        return redirect("hitstream-console:hit", results[0].hit.pk)
    counts = recent_counts(scope) if term and not results else IngestCounts()
    return show(
        request,
        "search",
        title=_("Search"),
        here="search",
        term=term,
        results=results,
        is_person=any({"user id", "anonymous id"} & set(each.kinds) for each in results),
        shown=SHOWN,
        reach=None if scope.is_all else REACH,
        counts=counts,
        reasons=sorted(counts.reasons.items(), key=lambda reason: -reason[1]),
        hours=HOURS,
        dedup_days=conf.DEDUP_WINDOW / 86_400,
        # Plural forms are chosen by a whole number.
        dedup_plural=1 if conf.DEDUP_WINDOW == 86_400 else max(2, int(conf.DEDUP_WINDOW // 86_400)),
        hit_days=conf.HIT_DAYS,
    )


def recent_counts(scope: Scope) -> IngestCounts:
    """Return how many hits within the scope were accepted and refused lately."""
    return ingest_volume(datetime.now(UTC) - timedelta(hours=HOURS), scope.token_ids).total
