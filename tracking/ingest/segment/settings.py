"""The settings that browser SDKs fetch before they send: the host, and the key.

The answer names the host of the request, so a page sets one address only. It needs no database:
while the database is away, the SDK starts all the same and keeps what it cannot send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework import status
from rest_framework.request import Request

from tracking.conf import conf
from tracking.ingest.auth.authentication import key_of_write_key, read_api_token, tokens
from tracking.ingest.auth.client_ip import is_trusted
from tracking.ingest.errors import BadRequest, IngestError, Unavailable
from tracking.ingest.http.views import IngestView
from tracking.ingest.segment.query import query_value

HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
#: Seconds for which a browser may cache the answer. No shared cache may: one poisoned by another
#: host name would send everybody's hits there.
KEEP = {"Cache-Control": "private, max-age=300"}


class UnknownKey(IngestError):
    """No usable token has this write key."""

    status = status.HTTP_404_NOT_FOUND


class SettingsView(IngestView):
    http_method_names = ["get", "options"]  # noqa: RUF012 (Django's own attribute)

    def get(self, request: Request, key: str = "") -> HttpResponse:
        key = key or key_asked_with(request._request)
        check(key, request._request.META)
        return JsonResponse(self.describe(key, request._request), headers=KEEP)

    def describe(self, key: str, request: HttpRequest) -> dict[str, Any]:
        """Return the settings as @segment/analytics-next reads them."""
        scheme, _, host = base_url(request).partition("://")
        return {
            "integrations": {
                "Segment.io": {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme}
            },
            "metrics": {"sampleRate": 0},
            "plan": {"track": {"__default": {"enabled": True}}},
        }


class SourceConfigView(SettingsView):
    def describe(self, key: str, request: HttpRequest) -> dict[str, Any]:
        """Return the settings as @rudderstack/analytics-js reads them. No destination runs in the
        browser: Hitstream sends to all of them."""
        off = {"enabled": False}
        return {
            "source": {
                "id": "hitstream",
                "name": "Hitstream",
                "writeKey": key,
                "enabled": True,
                "workspaceId": "hitstream",
                "config": {"statsCollection": {"errors": off, "metrics": off}},
                "destinations": [],
            }
        }


def check(key: str, environ: Mapping[str, Any]) -> None:
    """Raise UnknownKey if the database has no usable token with this key."""
    try:
        found = tokens.get(key_of_write_key(key), environ)
    except Unavailable:
        return
    if found is None:
        raise UnknownKey("token_invalid", "No usable token has this write key.")


def key_asked_with(request: HttpRequest) -> str:
    """Return the key of the request. Raises Unauthorized without one."""
    if key := query_value(request, "writeKey"):
        return key
    return read_api_token(request.META.get("HTTP_AUTHORIZATION", "")).decode(errors="replace")


def base_url(request: HttpRequest) -> str:
    """Return the address by which the browser reached Hitstream, without a trailing slash, as far
    as the request and trusted proxies tell. PUBLIC_URL overrides it."""
    if conf.PUBLIC_URL:
        return str(conf.PUBLIC_URL).rstrip("/")
    environ = request.META
    scheme, host = request.scheme or "", environ.get("HTTP_HOST", "")
    if is_trusted(environ.get("REMOTE_ADDR") or ""):
        scheme = hops(environ, "HTTP_X_FORWARDED_PROTO")[0] or scheme
        # A proxy appends to the header that it gets: the first value is the browser's.
        host = hops(environ, "HTTP_X_FORWARDED_HOST")[-1] or host
    if scheme not in {"http", "https"} or not HOST.fullmatch(host):
        raise BadRequest("host_invalid", "The request does not say by which host it came.")
    return f"{scheme}://{host}{reverse('hitstream:track').removesuffix('/track')}"


def hops(environ: Mapping[str, Any], name: str) -> list[str]:
    return [hop.strip() for hop in str(environ.get(name, "")).split(",")]
