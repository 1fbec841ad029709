"""The analytics page: how often events occur, where, and for how many users, from the rollups, as
charts, tables and files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.console.access import page, show
from tracking.console.query import DEFAULT, LAST, AnalyticsQuery, AnalyticsQueryForm
from tracking.console.table import Figure, Table, TableRow, ranked
from tracking.console.time_range import span_label
from tracking.models import Watermark
from tracking.models.access.scope import Scope
from tracking.models.analytics.dimensions import CAMPAIGN, PAGE, PROPERTY, USER
from tracking.models.analytics.rollup import RollupQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Events with a line of their own, and rows of a table on the page and in a file.
LINES = 5
SHOWN = 20
EXPORTED = 10_000
#: How far a healthy worker can be behind.
LATE = timedelta(minutes=5)


@page("view_hit", zone="UTC")
def analytics(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Return the page or, with `format=csv`, one `table` of it. The rollups count UTC days, so the
    whole page is in UTC."""
    form = AnalyticsQueryForm(named(request.GET), scope)
    query = form.query()
    if request.GET.get("format") == "csv":
        return download(query, request.GET.get("table", ""))
    tables = {key: build(query, SHOWN) for key, build in TABLES.items()} if query else {}
    if tables:
        tables["events"] = with_links(request, tables["events"])
    counted_until = Watermark.objects.moment()
    return show(
        request,
        "analytics",
        title=_("Analytics"),
        here="analytics",
        form=form,
        query=query,
        tables=tables,
        rankings=[tables[key] for key in RANKINGS if key in tables],
        quick=links(request, query, form),
        link=kept(request, "last", "since", "until", "token", "name", "breakdown"),
        counted_until=counted_until,
        is_late=counted_until is not None and timezone.now() - counted_until > LATE,
    )


def named(parameters: QueryDict) -> QueryDict:
    """Return the parameters under the form's names: people also write `span`, `from` and `to`."""
    renamed = parameters.copy()
    for alias, name in (("span", "last"), ("from", "since"), ("to", "until")):
        if alias in renamed:
            renamed.setdefault(name, parameters.get(alias, ""))
    return renamed


def links(
    request: HttpRequest, query: AnalyticsQuery | None, form: AnalyticsQueryForm
) -> list[tuple[str, str, bool]]:
    """Return the quick ranges: a label, an address, and whether it is the present one."""
    others = kept(request, "token", "name", "breakdown")
    chosen = ""
    if query is not None and not form.cleaned_data["since"]:
        chosen = form.cleaned_data["last"] or DEFAULT
    return [(span_label(each), f"?last={each}{others}", each == chosen) for each in LAST]


def with_links(request: HttpRequest, table: Table) -> Table:
    """Return the table with a link in each row, to the same page for that row's event alone."""
    others = kept(request, "last", "since", "until", "token", "breakdown")
    rows = [
        replace(row, address=f"?{urlencode({'name': row.label})}{others}") for row in table.rows
    ]
    return replace(table, rows=rows)


def kept(request: HttpRequest, *names: str) -> str:
    """Return these parameters of the present address, to be appended to another address."""
    parameters = request.GET.copy()
    for name in set(parameters) - set(names):
        del parameters[name]
    return f"&{parameters.urlencode()}" if parameters else ""


def download(query: AnalyticsQuery | None, table: str) -> HttpResponse:
    """Return the table as a file. Raises Http404 for an unknown table or an invalid query."""
    if query is None or table not in TABLES:
        raise Http404
    period = query.period
    name = f"hitstream-{table}-{period.first}-{period.last}"
    return TABLES[table](query, EXPORTED).download(name)


def over_time(query: AnalyticsQuery, limit: int) -> Table:
    """Return the most frequent events, each in a column, and all others together in one."""
    names = [name for name, _ in query.chosen_events().by("name")[: LINES + 1]]
    has_others = len(names) > LINES
    names = names[:LINES]
    counts = query.chosen_events().over_time(names, others="")
    keys = [*names, *([""] * has_others)]
    rows = [
        TableRow(at, [Figure(counts.get(at, {}).get(key, 0)) for key in keys])
        for at in (query.period.steps() if keys else ())
    ]
    return Table(
        key="series",
        title=_("Events over time"),
        first=_("Hour (UTC)") if query.period.is_hourly else _("Day (UTC)"),
        names=[*names, *([_("all others")] * has_others)],
        rows=rows,
    )


def users(query: AnalyticsQuery, limit: int) -> Table:
    counts = dict(query.days(USER).by("at"))
    return Table(
        key="users",
        title=_("Unique users by day"),
        first=_("Day (UTC)"),
        names=[_("Users")],
        rows=[TableRow(at, [Figure(counts.get(at, 0))]) for at in query.period.days()],
    )


def events(query: AnalyticsQuery, limit: int) -> Table:
    """Return all events, even if the query names one: the table is where another event is
    chosen."""
    rows = query.events()
    counts = rows.by("name")[:limit]
    return Table(
        key="events",
        title=_("Events"),
        first=_("Event"),
        names=[_("Count")],
        rows=ranked(counts, rows.total()),
    )


def by_value(
    query: AnalyticsQuery,
    limit: int,
    *,
    key: str,
    title: StrOrPromise,
    first: StrOrPromise,
    dimension: str,
) -> Table:
    rows = query.days(dimension)
    return top(query, rows, limit, key=key, title=str(title), first=str(first))


def breakdown(query: AnalyticsQuery, limit: int) -> Table:
    """Return the values of the query's property; empty without one."""
    name = query.breakdown
    rows = query.days(f"{PROPERTY}{name}")
    title = _("By %(name)s") % {"name": name}
    return top(query, rows, limit, key="breakdown", title=title, first=name or _("Value"))


def top(
    query: AnalyticsQuery, rows: RollupQuerySet, limit: int, *, key: str, title: str, first: str
) -> Table:
    """Return the top values. Each share is of all events of these days, including those without a
    value."""
    counts = ranked(rows.by("value")[:limit], query.day_total())
    return Table(key=key, title=title, first=first, names=[_("Count")], rows=counts)


#: By the name in the address of the file.
TABLES: Mapping[str, Callable[[AnalyticsQuery, int], Table]] = {
    "series": over_time,
    "users": users,
    "events": events,
    "pages": partial(
        by_value,
        key="pages",
        title=gettext_lazy("Pages"),
        first=gettext_lazy("Page"),
        dimension=PAGE,
    ),
    "campaigns": partial(
        by_value,
        key="campaigns",
        title=gettext_lazy("Campaigns"),
        first=gettext_lazy("Source / medium / name"),
        dimension=CAMPAIGN,
    ),
    "breakdown": breakdown,
}
RANKINGS = ("events", "pages", "campaigns", "breakdown")
