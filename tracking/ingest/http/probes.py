"""GET /healthz, /readyz and /metrics: for load balancers, orchestrators and Prometheus.

They stand among the ingest routes because they must answer for any host name, without a cookie, a
login or a redirect, and while all of Django's threads are busy.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions, status
from rest_framework.request import Request

from tracking.conf import conf
from tracking.health import overview
from tracking.health.probe import NoAnswerError
from tracking.ingest.auth.authentication import known_tokens
from tracking.ingest.auth.client_ip import client_ip, network_of
from tracking.ingest.errors import IngestError, Unauthorized, Unavailable, respond
from tracking.ingest.http import spool_metrics
from tracking.ingest.http.views import IngestView
from tracking.ingest.write.deferred import wait_if_allowed
from tracking.ingest.write.readiness import readiness, why_not_ready
from tracking.ingest.write.spool import spool
from tracking.metrics.exposition import CONTENT_TYPE, exposition

FRESH = {"Cache-Control": "no-store"}
#: A load balancer must go on sending.
SPOOLING = {
    "status": "degraded",
    "parts": {"Postgres": "bad", "Spool": "poor"},
    "reason": "Postgres is away: hits of known tokens go to the spool of this node.",
}


class MetricsOff(IngestError):
    """Metrics are off: set METRICS_TOKEN or METRICS_FOR to turn them on."""

    status = status.HTTP_404_NOT_FOUND


class ProbeView(IngestView):
    http_method_names = ["get", "head", "options"]  # noqa: RUF012 (Django's own attribute)
    # No CORS: a page of another site, opened inside the network, must not read this answer.
    for_browsers = False

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=204, headers={"Allow": self.methods})

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Answer the error without counting a refused hit."""
        if isinstance(exc, IngestError):
            return respond(exc)
        if isinstance(exc, exceptions.MethodNotAllowed):
            return self.forbid(exc)
        raise exc


class AliveView(ProbeView):
    def get(self, request: Request) -> HttpResponse:
        """Answer 200: the process is alive. Nothing else is checked."""
        return JsonResponse({"status": "ok"}, headers=FRESH)


class ReadyView(ProbeView):
    def get(self, request: Request) -> HttpResponse:
        """Answer 200 while hits can be stored, or spooled, else 503 and the reason, with one word
        for each component. The reader is anonymous; the self-test page has the details."""
        environ = request._request.META
        if not readiness.is_known:
            wait_if_allowed(environ)
        if reason := why_not_ready():
            if can_spool():
                return JsonResponse(SPOOLING, headers=FRESH)
            body = {"status": "unavailable", "reason": reason, "parts": {"Postgres": "bad"}}
            return JsonResponse(body, status=503, headers={**FRESH, **Unavailable().headers()})
        wait_if_allowed(environ)
        parts = overview.components()
        return JsonResponse(
            {
                "status": "ok" if all(part.is_good for part in parts) else "degraded",
                "parts": {part.key: part.state for part in parts},
            },
            headers=FRESH,
        )


class PrometheusView(ProbeView):
    def get(self, request: Request) -> HttpResponse:
        """Answer with the metrics, to the readers that the deployment allows."""
        check_reader(request._request)
        wait_if_allowed(request._request.META)
        current = spool.current()
        spooled = b"" if current is None else spool_metrics.write(current)
        try:
            content = exposition.answer()
        except (NoAnswerError, Error) as error:
            if not spooled:
                late = isinstance(error, NoAnswerError)
                raise Unavailable(
                    "Postgres does not answer in time." if late else "Postgres refuses."
                ) from None
            content = b""
        return HttpResponse(content + spooled, content_type=CONTENT_TYPE, headers=FRESH)


def can_spool() -> bool:
    """Return whether hits of known tokens would go to the spool now."""
    current = spool.current()
    return current is not None and current.can_take() and known_tokens.is_there()


def check_reader(request: HttpRequest) -> None:
    """Raise MetricsOff if metrics are off, Unauthorized for any other reader."""
    if not conf.METRICS_TOKEN and not conf.METRICS_FOR:
        raise MetricsOff("metrics_off", "HITSTREAM_METRICS_TOKEN and _METRICS_FOR are not set.")
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    wanted = conf.METRICS_TOKEN.encode()
    known = wanted and hmac.compare_digest(given.strip().encode(), wanted)
    if (scheme.lower() == "bearer" and known) or is_near(client_ip(request.META)):
        return
    raise Unauthorized("metrics_refused", "Neither the token nor the address may read metrics.")


def is_near(address: str | None) -> bool:
    """Return whether the address may read metrics without a token."""
    networks = [network_of(network) for network in conf.METRICS_FOR]
    return address is not None and any(ip_address(address) in each for each in networks)
