"""The frame of every page of the console: its permissions, its time zone, and its content security
policy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone

from tracking.models.access.scope import Scope
from tracking.presentation.admin_site import admin_site, admin_url
from tracking.presentation.csp import CSP
from tracking.presentation.denied import denied
from tracking.presentation.replica_reads import may_lag, read
from tracking.presentation.viewer_zone import zone_of

Args = ParamSpec("Args")
View = Callable[Concatenate[HttpRequest, Scope, Args], HttpResponse]
Guarded = Callable[Concatenate[HttpRequest, Args], HttpResponse]


def page(
    *permissions: str, methods: tuple[str, ...] = ("GET", "HEAD"), zone: str = ""
) -> Callable[[View[Args]], Guarded[Args]]:
    """Decorate a view for staff who have these permissions of the app; it gets their Scope. Users
    who are not signed in are sent to the admin's form, and from there back here. All times of the
    page are in one time zone: the viewer's, or that `zone`."""

    def decorate(view: View[Args]) -> Guarded[Args]:
        @login_not_required
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: Args.args, **kwargs: Args.kwargs
        ) -> HttpResponse:
            site = admin_site()
            if not site.has_permission(request):
                return redirect_to_login(request.get_full_path(), admin_url("login"))
            request.current_app = site.name
            needed = [f"hitstream.{name}" for name in permissions]
            if not request.user.has_perms(needed):
                raise denied(request.user, needed)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)

            def make() -> HttpResponse:
                response = view(request, Scope.of(request.user), *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

            with timezone.override(zone or zone_of(request)):
                response = read(make) if may_lag(request) else make()
            response.headers["Content-Security-Policy"] = CSP
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return guarded

    return decorate


def show(
    request: HttpRequest, template: str, *, title: str, here: str, **context: Any
) -> TemplateResponse:
    """Return the page inside the console's frame. `here` names its place in the navigation."""
    return TemplateResponse(
        request,
        f"hitstream/console/{template}.html",
        {
            "title": title,
            "here": here,
            "site_header": admin_site().site_header,
            "site_title": admin_site().site_title,
            "site_url": admin_site().site_url,
            "zone": timezone.get_current_timezone_name(),
            **context,
        },
    )
