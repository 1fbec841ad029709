"""The event explorer: every event by name with its volume, and the way to the page of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tracking.conf import conf
from tracking.console.access import page, show
from tracking.console.event_page import event_page
from tracking.console.event_routing import is_taken
from tracking.console.time_range import span_label
from tracking.console.windows import days_of, windows
from tracking.models import Integration, Token, Watermark
from tracking.models.access.scope import Scope
from tracking.models.analytics.dimensions import OTHER
from tracking.models.analytics.event_names import (
    MOST,
    EventCount,
    Windows,
    event_counts,
    event_days,
)

#: Events of a page.
ROWS = 50
#: Height of a trend, width of a bar and the way to the next one, in pixels.
HEIGHT, BAR, STEP = 24, 2, 3

#: The orders of the list by their names in the address; a minus turns one round.
ORDERS: dict[str, Callable[[EventCount], Any]] = {
    "name": lambda count: count.name.lower(),
    "day": lambda count: count.day,
    "week": lambda count: count.week,
    "month": lambda count: count.month,
    "total": lambda count: count.total,
    "first": lambda count: count.first,
    "last": lambda count: count.last,
}
DEFAULT = "-month"
#: The classes of columns: those of numbers, and those that only a wide page has room for.
CLASSES = {
    **dict.fromkeys(("day", "week", "month"), "hs-number"),
    "total": "hs-number hs-events-wide",
    "first": "hs-events-wide",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column, whose link sorts by it. `sorted` is how the list is sorted by it."""

    key: str
    label: str
    address: str
    sorted: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event, its tokens, how many integrations take it, and its counts of the last 30 days."""

    count: EventCount
    tokens: Sequence[Token]
    integrations: int
    days: Sequence[int]

    @property
    def address(self) -> str:
        only = {"token": str(self.tokens[0].pk)} if len(self.tokens) == 1 else {}
        return f"?{urlencode({'event': self.count.name, **only})}"

    @property
    def bars(self) -> str:
        """The bars of the days as one path of SVG: a template would write each of them slowly."""
        most = max(self.days, default=0) or 1
        return "".join(
            f"M{at * STEP},{HEIGHT}v-{max(1.0, HEIGHT * number / most):.1f}h{BAR}V{HEIGHT}z"
            for at, number in enumerate(self.days)
            if number
        )


@page("view_hit", zone="UTC")
def events(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Return the list, or the page of the `event` that the address names. The rollups count UTC
    days, so both are in UTC."""
    tokens = list(scope.limit(Token.objects.present().order_by("name"), "pk"))
    token = chosen_token(request, tokens)
    chosen = [token] if token else tokens
    if name := request.GET.get("event", "").replace("\0", "\ufffd")[:255]:
        return event_page(request, scope, name, tokens, token)
    term = request.GET.get("q", "").replace("\0", "\ufffd").strip()[:255]
    times = windows()
    counts = event_counts(scope, [each.pk for each in chosen], times, term=term)
    order = request.GET.get("sort", "")
    order = order if order.removeprefix("-") in ORDERS else DEFAULT
    named = in_order((each for each in counts if each.name != OTHER), order)
    shown = Paginator(named, ROWS).get_page(request.GET.get("page"))
    return show(
        request,
        "events",
        title=_("Events"),
        here="events",
        tokens=tokens,
        token=token,
        wanted=term,
        order=order,
        page=shown,
        rows=list(rows(scope, shown.object_list, chosen, times)),
        width=len(days_of(times)) * STEP - (STEP - BAR),
        height=HEIGHT,
        others=sum(each.month for each in counts if each.name == OTHER),
        most=MOST if len(counts) >= MOST else None,
        counted_until=Watermark.objects.moment(),
        spans={each: span_label(each) for each in ("24h", "7d", "30d")},
        headings=headings(order, token=token.pk if token else "", q=term),
        without_term=kept(token=token.pk if token else ""),
        hit_days=conf.HIT_DAYS,
        sorted_by=kept(token=token.pk if token else "", q=term, sort=order * (order != DEFAULT)),
    )


def chosen_token(request: HttpRequest, tokens: Iterable[Token]) -> Token | None:
    """Return the token that the address names, None without one. Raises Http404 for any that the
    viewer does not see."""
    wanted = request.GET.get("token", "")
    if not wanted:
        return None
    for token in tokens:
        if str(token.pk) == wanted:
            return token
    raise Http404


def in_order(counts: Iterable[EventCount], order: str) -> list[EventCount]:
    """Return the events in the order; among equals the more frequent is first."""
    named = sorted(counts, key=lambda each: (-each.month, each.name))
    key = ORDERS[order.removeprefix("-")]
    return sorted(named, key=key, reverse=order.startswith("-"))


def rows(
    scope: Scope, counts: Iterable[EventCount], tokens: Sequence[Token], times: Windows
) -> Iterable[EventRow]:
    counts = list(counts)
    by_pk = {token.pk: token for token in tokens}
    days = event_days(scope, by_pk, [each.name for each in counts], times)
    integrations = list(Integration.objects.present().filter(token__in=by_pk, enabled=True))
    for each in counts:
        yield EventRow(
            count=each,
            tokens=[by_pk[pk] for pk in each.token_ids],
            integrations=sum(
                one.token_id in each.token_ids and is_taken(one, each.name) for one in integrations
            ),
            days=[days[each.name].get(at, 0) for at in days_of(times)],
        )


def headings(order: str, **values: Any) -> Iterable[Heading]:
    """Yield the columns in their order on the page."""
    labels = {
        "name": _("Event"),
        "day": span_label("24h"),
        "week": span_label("7d"),
        "month": span_label("30d"),
        "total": _("All time"),
        "first": _("First seen"),
        "last": _("Last seen"),
    }
    for key, label in labels.items():
        # Numbers and times begin with the greatest; a second click turns the order round.
        first = key if key == "name" else f"-{key}"
        other = f"-{key}" if key == "name" else key
        is_sorted = order.removeprefix("-") == key
        direction = "descending" if order.startswith("-") else "ascending"
        yield Heading(
            key=key,
            label=label,
            address=f"?{kept(**values, sort=other if order == first else first)}",
            sorted=direction if is_sorted else "",
            css=CLASSES.get(key, ""),
        )


def kept(**values: Any) -> str:
    return urlencode({name: value for name, value in values.items() if value})
