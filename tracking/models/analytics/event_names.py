"""The events that the roll-up knows by name: how often each occurred, and when first and last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from tracking.models.access.scope import Scope
from tracking.models.analytics.dimensions import DAY, HOUR, OTHER
from tracking.models.analytics.rollup import Rollup, RollupQuerySet

#: Events of a token that are read at most, the most frequent first. With ids in the names there are
#: hundreds of thousands.
MOST = 5_000
#: Among how many of the most frequent events a completion looks for those that begin with the text.
COMPLETED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The beginnings of the last 24 hours, the last 7 days and the last 30 days: of an hour, and of
    days in UTC."""

    day: datetime
    week: datetime
    month: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """How often an event occurred. `first` is the beginning of a day in UTC; `last` of an hour if
    `is_last_by_hour`, else of a day."""

    name: str
    token_ids: tuple[int, ...]
    day: int
    week: int
    month: int
    total: int
    first: datetime
    last: datetime
    is_last_by_hour: bool


def event_counts(
    scope: Scope, token_ids: Iterable[int], windows: Windows, *, term: str = "", name: str = ""
) -> list[EventCount]:
    """Return the counts of each event of these tokens, the most frequent of the last 30 days first:
    of those whose name contains the term, or of the one with this name."""
    rows = Rollup.objects.of(scope, token_ids)
    if name:
        rows = rows.filter(name=name)
    elif term:
        rows = rows.filter(name__icontains=term)
    hours = {
        (token, event): (count, last)
        for token, event, count, last in _by_event(
            rows.within(HOUR, windows.day, windows.until)
        ).annotate(count_of=Sum("count"), last=Max("at"))
    }
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in _days(rows, windows)[:MOST]:
        found.setdefault(row[1], []).append(row)
    counts = [_joined(event, parts, hours) for event, parts in found.items()]
    return sorted(counts, key=lambda each: (-each.month, -each.total, each.name))


def event_days(
    scope: Scope, token_ids: Iterable[int], names: Sequence[str], windows: Windows
) -> Mapping[str, Mapping[datetime, int]]:
    """Return the counts of each of these events by the days of the last 30."""
    rows = Rollup.objects.of(scope, token_ids).within(DAY, windows.month, windows.until)
    found: dict[str, dict[datetime, int]] = {name: {} for name in names}
    named = rows.filter(name__in=names).order_by().values_list("name", "at")
    for name, at, count in named.annotate(count_of=Sum("count")):
        found[name][at] = count
    return found


def events_named(
    scope: Scope, token_ids: Iterable[int], term: str, windows: Windows, limit: int
) -> list[tuple[str, int]]:
    """Return the events of the last 30 days whose name contains the term, each with its count:
    those that begin with it first, and among them the most frequent."""
    rows = Rollup.objects.of(scope, token_ids).within(DAY, windows.month, windows.until)
    if term:
        rows = rows.filter(name__icontains=term)
    counted = list(rows.exclude(name=OTHER).by("name")[:COMPLETED])
    counted.sort(key=lambda each: not each[0].lower().startswith(term.lower()))
    return counted[:limit]


def _by_event(rows: RollupQuerySet) -> QuerySet[Rollup, Any]:
    """Group by token too: a cluster then counts each token where its rows are."""
    return rows.order_by().values_list("token_id", "name")


def _days(rows: RollupQuerySet, windows: Windows) -> QuerySet[Rollup, Any]:
    recent = Q(at__gte=windows.month)
    return (
        _by_event(rows.filter(dimension=DAY))
        .annotate(
            week=Coalesce(Sum("count", filter=Q(at__gte=windows.week)), 0),
            month=Coalesce(Sum("count", filter=recent), 0),
            total=Sum("count"),
            first=Min("at"),
            last=Max("at"),
        )
        .order_by(F("month").desc(), F("total").desc(), "name")
    )


def _joined(
    name: str,
    rows: Sequence[tuple[Any, ...]],
    hours: Mapping[tuple[int, str], tuple[int, datetime]],
) -> EventCount:
    tokens = tuple(row[0] for row in rows)
    recent = [hours[token, name] for token in tokens if (token, name) in hours]
    return EventCount(
        name=name,
        token_ids=tokens,
        day=sum(count for count, _ in recent),
        week=sum(row[2] for row in rows),
        month=sum(row[3] for row in rows),
        total=sum(row[4] for row in rows),
        first=min(row[5] for row in rows),
        last=max((last for _, last in recent), default=max(row[6] for row in rows)),
        is_last_by_hour=bool(recent),
    )
