"""Ingest before everything else: a WSGI application around Django's own.

Hits go straight to their view. Django's middleware (sessions, CSRF, users, hosts) and signals serve
the ORM and people with browsers. A hit needs none of them, they cost more than everything that it
does need, and a sender with another host name in its URL must not lose hits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.handlers.wsgi import WSGIRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, reverse

from tracking.current_request import HEADER, environ_of_request, id_of
from tracking.ingest.errors import IngestError, respond
from tracking.ingest.http.cors import allow_origin
from tracking.ingest.routes import ROUTES, Route

logger = logging.getLogger(__name__)

View = Callable[[WSGIRequest], HttpResponseBase]


class BrokenRequest(IngestError):
    """Hitstream has a bug. Send the hit again later: the next version may have it fixed."""

    status = 500


class IngestFirst:
    """Wrap the project's application with it in wsgi.py. Without it hits pass all middleware, and
    ALLOWED_HOSTS."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._views: RouteTable | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ_of_request.set(environ)
        views = self._views
        if views is None:
            views = self._views = RouteTable.of_the_project()
        view = views.find(environ["SCRIPT_NAME"] + environ["PATH_INFO"])
        if view is None:
            return self._application(environ, start_response)
        response = answer(view, environ)
        if response.status_code >= 400:
            response.headers[HEADER] = id_of(environ)
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [*response.items()])
        return [response.getvalue()]


def answer(view: View, environ: WSGIEnvironment) -> HttpResponseBase:
    """Return the view's answer, or Hitstream's own 500 if it fails."""
    request = WSGIRequest(environ)
    try:
        return view(request)
    except Exception:
        logger.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        response = respond(BrokenRequest("internal_error", "The server failed; the log says why."))
        if getattr(getattr(view, "cls", None), "for_browsers", True):
            allow_origin(request, response)
        return response


class RouteTable:
    """The ingest views by path: fixed paths in a dictionary, others by their patterns."""

    def __init__(self, prefix: str, patterns: Iterable[tuple[bool, URLPattern]]) -> None:
        self._prefix = prefix
        self._exact: dict[str, View] = {}
        self._others: list[URLPattern] = []
        for is_exact, pattern in patterns:
            if is_exact:
                self._exact[f"{prefix}{pattern.pattern}"] = pattern.callback
            else:
                self._others.append(pattern)

    @classmethod
    def of_the_project(cls, routes: Iterable[Route] = ROUTES) -> RouteTable:
        """Return the table of these routes at the prefix by which the project's URL configuration
        includes Hitstream's; empty if it does not."""
        try:
            prefix = reverse("hitstream:track").removesuffix("track")
        except NoReverseMatch:
            return cls("", ())
        return cls(
            prefix, ((route.is_exact, each) for route in routes for each in route.patterns())
        )

    def find(self, path: str) -> View | None:
        view = self._exact.get(path)
        if view is None and self._others and path.startswith(self._prefix):
            return match(self._others, path[len(self._prefix) :])
        return view


def match(patterns: Sequence[URLPattern], path: str) -> View | None:
    for pattern in patterns:
        found = pattern.resolve(path)
        if found is not None:
            return partial(found.func, **found.kwargs)
    return None
