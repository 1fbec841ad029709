"""The page of an event: its volume, its properties by path, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking import db
from tracking.console.access import page, show
from tracking.console.event_routing import event_routes
from tracking.console.query import LAST, AnalyticsQuery
from tracking.console.time_range import span_label
from tracking.console.windows import windows
from tracking.destinations.mapping import document
from tracking.events import TYPES
from tracking.models import Integration, Token, Watermark
from tracking.models.access.scope import Scope
from tracking.models.analytics.event_names import EventCount, event_counts
from tracking.models.explain.event_properties import (
    PathReport,
    PathStats,
    PersonalData,
    ValueType,
    path_report,
)
from tracking.models.explain.event_sample import EventSample, sample_of_event
from tracking.models.tokens.token import MAX_BREAKDOWNS, MAX_PROPERTY
from tracking.presentation.row_id import row_id

#: The range of the chart without another in the address.
DEFAULT = "30d"
#: Hits that are listed.
NEWEST = 10
#: Types as people read them.
TYPE_LABELS = {
    ValueType.STRING: gettext_lazy("string"),
    ValueType.NUMBER: gettext_lazy("number"),
    ValueType.BOOLEAN: gettext_lazy("boolean"),
    ValueType.NULL: gettext_lazy("null"),
    ValueType.OBJECT: gettext_lazy("object"),
    ValueType.LIST: gettext_lazy("list"),
    ValueType.TIME: gettext_lazy("time"),
}
PERSONAL_LABELS = {
    PersonalData.EMAIL: gettext_lazy("e-mail address"),
    PersonalData.IP: gettext_lazy("IP address"),
    PersonalData.PHONE: gettext_lazy("phone number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyRow:
    """A path as the page shows it. `share` is the part of the hits that have it; `chart` is the
    address of its breakdown, empty without one; `adds` is the property that would be one."""

    stats: PathStats
    share: float
    types: Sequence[tuple[str, float]]
    chart: str
    adds: str

    @property
    def parts(self) -> list[str]:
        """The path in parts, between which a line may end."""
        return re.split(r"(?<=[.\]])", self.stats.text)

    @property
    def personal(self) -> str:
        kind = self.stats.personal
        return str(PERSONAL_LABELS[kind]) if kind else ""


def event_page(
    request: HttpRequest, scope: Scope, name: str, tokens: Sequence[Token], token: Token | None
) -> HttpResponse:
    """Return the page of the event of this token, or of all `tokens`; 404 if nothing is known of
    it."""
    counts = event_counts(scope, [each.pk for each in tokens], windows(), name=name)
    known = counts[0] if counts else None
    of_event = [each for each in tokens if known and each.pk in known.token_ids]
    if token is None and len(tokens) == 1:
        token = tokens[0]
    if token is None and len(of_event) == 1:
        token = of_event[0]
    chosen = [token] if token else tokens
    if token and known and known.token_ids != (token.pk,):
        known = next(iter(event_counts(scope, [token.pk], windows(), name=name)), None)
    sample = sample_of_event(name, scope, token.pk if token else None)
    report = path_report(map(document.read, sample.events))
    response = show(
        request,
        "event",
        title=name,
        here="events",
        name=name,
        token=token,
        tokens=of_event,
        count=known,
        spans={each: span_label(each) for each in LAST},
        counted_until=Watermark.objects.moment(),
        sample=sample,
        newest=sample.hits[:NEWEST],
        hits_read=report.hits,
        is_nested=any(each.path[:2] == ("properties",) * 2 for each in report.paths),
        sections=sections(report, name, chosen, token),
        routes=routes(request, chosen, known, sample, name),
        is_named=is_named(name, sample),
        links=links(request, name, token, has_log=is_named(name, sample)),
        **chart(request, scope, name, chosen),
    )
    response.status_code = 200 if known or sample.hits else 404
    return response


def chart(
    request: HttpRequest, scope: Scope, name: str, tokens: Sequence[Token]
) -> dict[str, object]:
    """Return the counts of the range that the address names, and the other ranges."""
    last = request.GET.get("last", "")
    last = last if last in LAST else DEFAULT
    period = LAST[last](datetime.now(UTC))
    query = AnalyticsQuery(
        scope=scope,
        token_ids=[each.pk for each in tokens],
        period=period,
        name=name,
        breakdown="",
    )
    counts = dict(query.chosen_events().by("at"))
    only = request.GET.get("token", "")
    kept = {"event": name, "token": only} if only else {"event": name}
    return {
        "series": [(at, counts.get(at, 0)) for at in period.steps()],
        "is_charted": any(counts.values()),
        "is_hourly": period.is_hourly,
        "ranges": [
            (span_label(each), f"?{urlencode({**kept, 'last': each})}", each == last)
            for each in LAST
        ],
    }


def sections(
    report: PathReport, name: str, tokens: Sequence[Token], token: Token | None
) -> list[tuple[str, str, list[PropertyRow]]]:
    """Return the paths of the newest hits by the object that they are in, as id, title and rows."""
    titles = {
        "properties": _("Properties"),
        "traits": _("Traits"),
        "": _("Fields of the hit"),
        "context": _("Context"),
    }
    rows: dict[str, list[PropertyRow]] = {root: [] for root in titles}
    for stats in report.paths:
        row = row_of(stats, report.hits, name, tokens, token)
        rows[stats.root if len(stats.path) > 1 else ""].append(row)
    return [(root or "fields", titles[root], rows[root]) for root in titles if rows[root]]


def row_of(
    stats: PathStats, hits: int, name: str, tokens: Sequence[Token], token: Token | None
) -> PropertyRow:
    total = stats.types.total()
    by, chart = stats.breakdown, ""
    if by and any(by in each.breakdowns for each in tokens):
        only = {"token": str(token.pk)} if token else {}
        parameters = urlencode({"last": "30d", "name": name, "breakdown": by, **only})
        chart = f"{reverse('hitstream-console:analytics')}?{parameters}"
    return PropertyRow(
        stats=stats,
        share=stats.hits / hits,
        types=[(str(TYPE_LABELS[kind]), n / total) for kind, n in stats.types.most_common()],
        chart=chart,
        adds="" if chart or len(by) > MAX_PROPERTY or by != by.strip() else by,
    )


def routes(
    request: HttpRequest,
    tokens: Iterable[Token],
    known: EventCount | None,
    sample: EventSample,
    name: str,
) -> object:
    """Return the routes of the event, None for users who may not view integrations."""
    if not request.user.has_perm("hitstream.view_integration"):
        return None
    sending = {hit.token_id for hit in sample.hits} | set(known.token_ids if known else ())
    ids = [token.pk for token in tokens if token.pk in sending]
    present = Integration.objects.present().filter(token__in=ids).select_related("token")
    return event_routes(present.order_by("token__name", "name"), name)


def is_named(name: str, sample: EventSample) -> bool:
    """Return whether hits have the name. Others count under their type, and the log of deliveries
    does not find them by it."""
    return name not in TYPES or any(hit.name for hit in sample.hits)


def links(
    request: HttpRequest, name: str, token: Token | None, *, has_log: bool
) -> list[tuple[str, str]]:
    """Return the other pages about the event: labels and addresses."""
    only = {"token": str(token.pk)} if token else {}
    pages = [(_("Live"), "live", {"event": name, **only})]
    if has_log and request.user.has_perm("hitstream.view_delivery"):
        pages.append((_("Deliveries"), "deliveries", {"event": name}))
    pages.append((_("Analytics"), "analytics", {"last": "30d", "name": name, **only}))
    return [
        (label, f"{reverse(f'hitstream-console:{page}')}?{urlencode(parameters)}")
        for label, page, parameters in pages
    ]


@page("view_hit", "change_token", methods=("POST",))
def add_breakdown(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Add a property to the breakdowns of a token, and return to the event's page."""
    name = request.POST.get("property", "").replace("\0", "")[:MAX_PROPERTY].strip()
    pk = row_id(request.POST.get("token", ""))
    if pk is None or not scope.sees(pk) or not name:
        raise Http404
    with db.atomic():
        token = Token.objects.present().select_for_update().filter(pk=pk).first()
        if token is None:
            raise Http404
        is_full = len(token.breakdowns) >= MAX_BREAKDOWNS and name not in token.breakdowns
        if not is_full and name not in token.breakdowns:
            token.breakdowns = [*token.breakdowns, name]
            token.save(by=request.user.get_username())
    values = {"token": token, "name": name, "most": MAX_BREAKDOWNS}
    if is_full:
        text = _(
            "“%(token)s” has %(most)s breakdowns already, and can have no more. "
            "Remove one on the token's page."
        )
        messages.error(request, text % values)
    else:
        text = _(
            "“%(name)s” is a breakdown of “%(token)s” now: hits are counted by it from here on. "
            "manage.py rollup --rebuild counts earlier hits, too."
        )
        messages.success(request, text % values)
    event = urlencode({"event": request.POST.get("event", ""), "token": str(token.pk)})
    return redirect(f"{reverse('hitstream-console:events')}?{event}")
