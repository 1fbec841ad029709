"""Middleware of the deployment: the id of a request on its answer, the policy of the admin's own
pages, and a page for a database that is away."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error

from tracking.current_request import HEADER, id_of
from tracking.presentation.csp import CSP

logger = logging.getLogger(__name__)

#: What a database that is away, or a pool without a free connection, raises.
AWAY = (OperationalError, InterfaceError)
RETRY_AFTER = 5

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestId:
    """Sets X-Request-ID on the answers of pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers[HEADER] = id_of(request.META)
        return response


class AdminPolicy:
    """Sets the Content-Security-Policy of the admin's pages that have none: the index, the sign-in,
    users and groups."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        match = request.resolver_match
        if match is not None and "admin" in match.namespaces:
            response.headers.setdefault("Content-Security-Policy", CSP)
        return response


class DatabaseAway:
    """Answers 503 with a page where a view finds no connection to the database."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unavailable(request, error) if isinstance(error, AWAY) else None


def handle_error(request: HttpRequest) -> HttpResponse:
    """Return the page of an error that no view has answered: of a middleware's, too."""
    error = sys.exc_info()[1]
    return unavailable(request, error) if isinstance(error, AWAY) else server_error(request)


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return 503 with a page that needs no database."""
    lines = str(error).strip().splitlines()
    logger.error("%s: 503, the database is away: %s", request.path, lines[0] if lines else error)
    response = render(request, "hitstream/unavailable.html", status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = "no-store"
    return response
