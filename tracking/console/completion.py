"""What fields for events, paths and properties suggest while one types, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracking.console.access import page
from tracking.console.event_page import TYPE_LABELS
from tracking.console.windows import windows
from tracking.destinations.mapping import document
from tracking.destinations.mapping.document import VARIABLES
from tracking.events import Event
from tracking.models import Token
from tracking.models.access.scope import Scope
from tracking.models.analytics.event_names import events_named
from tracking.models.explain.event_properties import (
    Path,
    PathStats,
    cel_of,
    field_of,
    jmespath_of,
    path_report,
)
from tracking.models.explain.event_sample import sample_of_event, sample_of_token
from tracking.presentation.row_id import row_id

#: Suggestions of events; events whose hits are read for paths, and hits of each, or of any.
SHOWN, MOST_EVENTS, HITS = 20, 3, 200

Suggestion = dict[str, str]
#: How each language writes a path; empty if it cannot.
SYNTAXES: dict[str, Callable[[Path], str]] = {
    "cel": cel_of,
    "jmespath": jmespath_of,
    "field": field_of,
}


@page("view_hit")
def completion(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Answer with `options`, each a `value` and a `note` on it: the events whose name contains `q`,
    or all paths in the newest hits of the token, or of its `event`s, in a `syntax`."""
    token = token_of(request, scope)
    build = {"events": events, "paths": paths, "breakdowns": breakdowns}.get(
        request.GET.get("kind", "")
    )
    if build is None:
        raise Http404
    return JsonResponse({"options": list(build(request, scope, token))})


def token_of(request: HttpRequest, scope: Scope) -> int | None:
    """Return the token of the address, None without one. Raises Http404 outside the scope."""
    wanted = request.GET.get("token", "")
    token = row_id(wanted)
    if wanted and (token is None or not scope.sees(token)):
        raise Http404
    return token


def text_of(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "\ufffd").strip()[:255]


def events(request: HttpRequest, scope: Scope, token: int | None) -> Iterator[Suggestion]:
    if token is None:
        tokens = list(scope.limit(Token.objects.present(), "pk").values_list("pk", flat=True))
    else:
        tokens = [token]
    for name, count in events_named(scope, tokens, text_of(request, "q"), windows(), SHOWN):
        text = ngettext("%(count)s in 30 days", "%(count)s in 30 days", count)
        yield {"value": name, "note": text % {"count": intcomma(count)}}


def paths(request: HttpRequest, scope: Scope, token: int | None) -> Iterator[Suggestion]:
    write = SYNTAXES.get(request.GET.get("syntax", ""), jmespath_of)
    found, hits = stats_of(request, scope, token)
    for stats in found:
        if value := write(stats.path):
            yield {"value": value, "note": note_on(stats, hits)}
    if write is not field_of:
        known = {str(stats.path[0]) for stats in found}
        yield from ({"value": name, "note": ""} for name in sorted(VARIABLES - known))


def breakdowns(request: HttpRequest, scope: Scope, token: int | None) -> Iterator[Suggestion]:
    found, hits = stats_of(request, scope, token)
    for stats in sorted(found, key=lambda each: -each.hits):
        if stats.breakdown:
            yield {"value": stats.breakdown, "note": note_on(stats, hits)}


def stats_of(request: HttpRequest, scope: Scope, token: int | None) -> tuple[list[PathStats], int]:
    """Return what the hits hold, and how many hits they are."""
    wanted = [name.replace("\0", "\ufffd")[:255] for name in request.GET.getlist("event")]
    found: list[Event] = []
    for name in filter(None, wanted[:MOST_EVENTS]):
        found += sample_of_event(name, scope, token, limit=HITS).events
    if not found:
        found += sample_of_token(scope, token, HITS).events
    report = path_report(map(document.read, found))
    return report.paths, report.hits


def note_on(stats: PathStats, hits: int) -> str:
    """Return the most frequent type, and in how many of the hits it is."""
    kind = TYPE_LABELS[stats.types.most_common(1)[0][0]]
    values = {"type": kind, "hits": intcomma(stats.hits), "of": intcomma(hits)}
    return _("%(type)s, in %(hits)s of %(of)s") % values
