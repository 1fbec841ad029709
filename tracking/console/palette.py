"""What the command palette finds while one types: tokens, integrations, events,
users and hits."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tracking.console.access import page
from tracking.console.windows import windows
from tracking.models import Integration, Token
from tracking.models.access.scope import Scope
from tracking.models.analytics.event_names import events_named
from tracking.models.explain.search import search
from tracking.presentation.admin_site import admin_url

#: The maximum of tokens and of integrations; the least characters of an id that is looked up.
SHOWN, SHORTEST = 8, 2

Found = dict[str, str]


@page("view_token")
def palette(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Answer with what the term finds: names by any part, ids as a whole."""
    term = request.GET.get("q", "").replace("\0", "").strip()[:320]
    found: list[Found] = []
    if term:
        found += tokens(term, scope)
        if request.user.has_perm("hitstream.view_integration"):
            found += integrations(term, scope)
        if request.user.has_perm("hitstream.view_hit"):
            found += events(term, scope)
        if request.user.has_perm("hitstream.view_hit") and len(term) >= SHORTEST:
            found += people_and_hits(term, scope)
    return JsonResponse({"entries": found})


def entry(kind: str, text: str, url: str) -> Found:
    return {"kind": kind, "text": text, "url": url}


def tokens(term: str, scope: Scope) -> Iterator[Found]:
    named = Token.objects.filter(deleted_at=None, name__icontains=term).order_by("name")
    for token in scope.limit(named, "pk")[:SHOWN]:
        yield entry(_("Token"), token.name, admin_url("hitstream_token_change", token.pk))


def integrations(term: str, scope: Scope) -> Iterator[Found]:
    named = Integration.objects.present().filter(name__icontains=term).order_by("name")
    for integration in scope.limit(named).select_related("token")[:SHOWN]:
        url = reverse("hitstream-console:integration", args=[integration.pk])
        yield entry(_("Integration"), f"{integration.name} ({integration.token})", url)


def events(term: str, scope: Scope) -> Iterator[Found]:
    present = scope.limit(Token.objects.present(), "pk").values_list("pk", flat=True)
    for name, _count in events_named(scope, list(present), term, windows(), SHOWN):
        url = f"{reverse('hitstream-console:events')}?{urlencode({'event': name})}"
        yield entry(_("Event"), name, url)


def people_and_hits(term: str, scope: Scope) -> Iterator[Found]:
    """Yield the user and the hit with this id, and a search for what else has it."""
    results = search(term, scope)
    if not results:
        return
    kinds = {kind for result in results for kind in result.kinds}
    if kinds & {"user id", "anonymous id"}:
        url = f"{reverse('hitstream-console:user')}?{urlencode({'id': term})}"
        yield entry(_("User"), term, url)
    for result in results:
        if result.is_by_id:
            url = reverse("hitstream-console:hit", args=[result.hit.pk])
            yield entry(_("Hit"), f"{result.hit.name or result.hit.type} {term}", url)
            break
    url = f"{reverse('hitstream-console:search')}?{urlencode({'q': term})}"
    yield entry(_("Search"), _("All hits with %(term)s") % {"term": term}, url)
