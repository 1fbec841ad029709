"""Ingest before everything else: the first middleware answers the ingest routes itself.

The others (sessions, CSRF, users, hosts) are for people with browsers; a hit needs none of them,
and a sender that calls us by another host name must not lose its hits for it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from tracking.ingest.views import TrackView

Answer = Callable[[HttpRequest], HttpResponseBase]


class IngestMiddleware:
    """Put it first in MIDDLEWARE. Without it hits go through all the others, and past
    ALLOWED_HOSTS."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.views: dict[str, Answer] | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        views = self.views
        if views is None:
            # Not in __init__: the URLs may not be loaded yet.
            views = self.views = routes()
        view = views.get(request.path)
        return self.get_response(request) if view is None else view(request)


def routes() -> dict[str, Answer]:
    """The ingest views by path, as the project's URLs have it; empty without ours among them."""
    try:
        path = reverse("tracking:track")
    except NoReverseMatch:
        return {}
    view = TrackView.as_view()
    return {path: view, f"{path}/": view}
