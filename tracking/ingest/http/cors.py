"""The CORS headers that a browser on another site needs on every answer, errors included.

Any origin is echoed, never `*`, and credentials are allowed: the vendor's SDK requires it. No
ingest route reads a cookie, so another site gains nothing by them.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

#: Seconds for which a browser may cache a preflight.
PREFLIGHT_SECONDS = 7200


def allow_origin(request: HttpRequest, response: HttpResponseBase) -> None:
    origin = request.META.get("HTTP_ORIGIN")
    headers = response.headers
    if "Vary" in headers:
        patch_vary_headers(response, ["Origin"])
    else:
        headers["Vary"] = "Origin"
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = "Retry-After"


def preflight(request: HttpRequest, methods: str) -> HttpResponse:
    """Return the answer to a preflight. It echoes the requested headers: with a fixed list browsers
    block the retries of SDKs."""
    response = HttpResponse(status=204, headers={"Allow": methods})
    response.headers["Access-Control-Allow-Methods"] = methods
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
    if requested:
        response.headers["Access-Control-Allow-Headers"] = requested
        patch_vary_headers(response, ["Access-Control-Request-Headers"])
    return response
