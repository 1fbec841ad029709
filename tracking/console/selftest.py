"""The self-test page: this request as the server received it, the components, and what to
change.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tracking.conf import conf
from tracking.console.access import page, show
from tracking.console.diagnostics import diagnose, shown_headers
from tracking.health import overview
from tracking.ingest.auth.client_ip import client_ip
from tracking.ingest.auth.client_ip_trace import trace
from tracking.models.access.scope import Scope
from tracking.models.upkeep.disk import measure


@page("view_token", "view_integration")
def self_test(request: HttpRequest, scope: Scope) -> HttpResponse:
    return show(
        request,
        "selftest",
        title=_("Self-test"),
        here="self-test",
        components=overview.components(),
        disk=measure() if scope.is_all else None,
        advice=diagnose(request),
        request_facts={
            _("Client IP"): client_ip(request.META) or _("unknown"),
            _("Peer"): request.META.get("REMOTE_ADDR") or _("a unix socket"),
            _("Scheme"): request.scheme,
            _("Host"): request.get_host(),
            _("Origin"): request.headers.get("Origin") or _("not sent with a page view"),
            _("This page"): request.build_absolute_uri("/"),
            _("Public URL"): conf.PUBLIC_URL
            or _("taken from each request (HITSTREAM_PUBLIC_URL is not set)"),
            _("Trusted proxies"): ", ".join(conf.TRUSTED_PROXIES) or _("none"),
        },
        hops=trace(request.META),
        headers=shown_headers(request),
    )
