"""What Sentry and an OpenTelemetry collector get, where the deployment names them: nothing is
imported for it otherwise."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured

from tracking import observer
from tracking.server.environment import flag, secret, text

logger = logging.getLogger(__name__)

MISSING = '%s is set, but %s is not installed: pip install "hitstream[%s]"'

_is_started = False
_closers: list[Callable[[], None]] = []


def start() -> None:
    """Start what the environment names, once in this process. What cannot be started is one line of
    the log: hits go on without it."""
    global _is_started
    if _is_started:
        return
    _is_started = True
    atexit.register(stop)
    attempt("SENTRY_DSN", "sentry-sdk", "sentry", start_sentry)
    if text("OTEL_EXPORTER_OTLP_ENDPOINT"):
        name = "OTEL_EXPORTER_OTLP_ENDPOINT"
        attempt(name, "OpenTelemetry's SDK or exporter", "otel", start_tracing)


def stop() -> None:
    """Send what is left when the process stops."""
    while _closers:
        _closers.pop()()


def attempt(name: str, package: str, extra: str, begin: Callable[[], None]) -> None:
    """Call `begin`, and log why it cannot begin."""
    try:
        begin()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"sentry_sdk", "opentelemetry"}:
            raise
        logger.error(MISSING, name, package, extra)
    except (ValueError, ImproperlyConfigured) as error:
        # Sentry's BadDsn is a ValueError. It quotes no key. A file may be unreadable.
        logger.error("%s has no effect: %s", name, error)


def start_sentry() -> None:
    """Start it where SENTRY_DSN is set. Raises ImproperlyConfigured for an unreadable file."""
    dsn = secret("SENTRY_DSN")
    if not dsn:
        return
    from tracking.server import error_reports  # noqa: PLC0415 (imported only where it is wanted)

    error_reports.start(dsn)
    _closers.append(error_reports.stop)


def start_tracing() -> None:
    from opentelemetry.util.re import parse_env_headers  # noqa: PLC0415

    from tracking.server.tracing import HitTraces  # noqa: PLC0415

    headers = parse_env_headers(secret("OTEL_EXPORTER_OTLP_HEADERS"), liberal=True)
    traces = HitTraces(
        ratio=ratio(),
        headers=headers,
        send_traceparent=flag("HITSTREAM_SEND_TRACEPARENT"),
    )
    observer.install(traces)
    _closers.append(traces.close)


def ratio() -> float:
    """Return the part of the hits that have traces. Raises ValueError."""
    given = text("OTEL_TRACES_SAMPLER_ARG", "1")
    try:
        found = float(given)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not {given!r}")
    return found
