"""The page of refused requests: samples, by token and code."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.console.time_range import TimeRange
from tracking.models import RefusedRequest, Token
from tracking.models.access.scope import Scope
from tracking.models.hits.refused_request import KEPT, KEPT_DAYS
from tracking.models.ledger.ingest_stats import ingest_volume

#: The maximum of samples on the page, the latest ones.
SHOWN = 100


@page("view_hit")
def refused(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Show the samples of the chosen token and code, or of all."""
    time_range = TimeRange.of(request)
    tokens = {token.pk: token for token in scope.limit(Token.objects.all(), "pk")}
    token = request.GET.get("token", "")
    code = request.GET.get("code", "")[:100]
    found = samples_within(scope)
    if token.isdecimal() and len(token) < 18:
        found = found.filter(token_id=int(token))
    if code:
        found = found.filter(code=code)
    counts = ingest_volume(time_range.since, scope.token_ids).total
    return show(
        request,
        "refused",
        title=_("Refused requests"),
        here="refused",
        time_range=time_range,
        samples=[(each, tokens.get(each.token_id)) for each in found[:SHOWN]],
        reasons=sorted(counts.reasons.items(), key=lambda reason: -reason[1]),
        refused=counts.refused,
        tokens=sorted(tokens.values(), key=lambda each: each.name),
        chosen_token=token,
        chosen_code=code,
        codes=sorted({*counts.reasons, *([code] if code else [])}),
        kept=KEPT,
        days=KEPT_DAYS,
        has_nobody=scope.is_all,
    )


def samples_within(scope: Scope) -> QuerySet[RefusedRequest]:
    """Return the samples within the scope; those of senders without a valid token for users who see
    all tokens."""
    found = RefusedRequest.objects.all()
    return found if scope.token_ids is None else found.filter(token_id__in=sorted(scope.token_ids))
