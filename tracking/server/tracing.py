"""Traces from the request to the vendor's answer, by OpenTelemetry.

The trace of a hit has the hit's id: web server and worker know it without a word between them. The
web server makes the span `hit`, whose id is the second half of the hit's; the worker makes a span
`deliver` below it for each request to a destination. Only `tracking.server.telemetry` imports this.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from tracking.observer import Answered, Observer, StoredHit

#: Spans of one request: so many of its hits show it.
MOST_SPANS = 20
#: Seconds that the collector may take for one batch of spans.
EXPORT_SECONDS = 5.0
#: Seconds between two records of an exporter that fails.
RECORD_EVERY = 60.0
HALF = 2**64 - 1
#: A UUIDv7 counts in its upper bits; these are random.
RANDOM = 2**32 - 1
NEW_ROOT = Context()
PROPAGATOR = TraceContextTextMapPropagator()


def is_sampled(hit: UUID, ratio: float) -> bool:
    """Return whether the hit has a trace. All processes decide the same."""
    return (hit.int & RANDOM) < ratio * (RANDOM + 1)


class HitIds(RandomIdGenerator):
    """Gives the span `hit` the ids of its hit, other spans random ones."""

    def __init__(self) -> None:
        self._thread = threading.local()

    def begin(self, hit: UUID) -> None:
        """Give the next span of this thread the ids of the hit."""
        self._thread.hit = hit

    def generate_trace_id(self) -> int:
        hit: UUID | None = getattr(self._thread, "hit", None)
        return super().generate_trace_id() if hit is None else hit.int

    def generate_span_id(self) -> int:
        hit: UUID | None = getattr(self._thread, "hit", None)
        self._thread.hit = None
        return super().generate_span_id() if hit is None else hit.int & HALF

    def is_trace_id_random(self) -> bool:
        return False


class Seldom(logging.Filter):
    """Keeps one record in a while: a collector that is away is no news."""

    def __init__(self) -> None:
        super().__init__()
        self._due = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + RECORD_EVERY
        return True


class HitTraces(Observer):
    is_watching = True

    def __init__(self, *, ratio: float, headers: Mapping[str, str], send_traceparent: bool) -> None:
        """The exporter reads its endpoint and the other OTEL_EXPORTER_OTLP_* from the environment;
        `headers` may hold a secret."""
        self._ratio, self._send_traceparent = ratio, send_traceparent
        self._ids = HitIds()
        # The environment's own name of the service has precedence.
        resource = Resource.create()
        if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "hitstream"}))
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, id_generator=self._ids
        )
        exporter = OTLPSpanExporter(headers=dict(headers) or None, timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("hitstream")
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(Seldom())

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def stored(self, hits: Sequence[StoredHit]) -> None:
        for hit in hits:
            if not is_sampled(hit.id, self._ratio):
                continue
            self._ids.begin(hit.id)
            self._tracer.start_span(
                "hit",
                context=NEW_ROOT,
                kind=SpanKind.SERVER,
                attributes={"hitstream.token": hit.token_id, "hitstream.type": hit.type},
                links=links_to_caller(hit.request),
                start_time=nanoseconds(hit.received_at),
            ).end()

    def begin(self, hits: Sequence[UUID]) -> object | None:
        sampled = [hit for hit in hits if is_sampled(hit, self._ratio)][:MOST_SPANS]
        spans = {
            hit: self._tracer.start_span("deliver", context=below(hit), kind=SpanKind.CLIENT)
            for hit in sampled
        }
        return spans or None

    def headers(self, begun: object) -> Mapping[str, str]:
        """Return the traceparent of the first hit's span, if the deployment wants vendors to get
        one."""
        carrier: dict[str, str] = {}
        if self._send_traceparent:
            first = next(iter(cast("dict[UUID, Span]", begun).values()))
            PROPAGATOR.inject(carrier, set_span_in_context(first))
        return carrier

    def end(self, begun: object, answered: Answered) -> None:
        ended, attributes = time.time_ns(), attributes_of(answered)
        for hit, span in cast("dict[UUID, Span]", begun).items():
            span.set_attributes(attributes)
            span.set_attribute("hitstream.attempt.number", answered.numbers[hit])
            if answered.error:
                span.set_status(Status(StatusCode.ERROR, answered.error))
            span.end(ended)


def links_to_caller(request: Mapping[str, object] | None) -> list[Link]:
    """Return a link to the trace of the request's traceparent, if it has a valid one."""
    given = str((request or {}).get("HTTP_TRACEPARENT", ""))
    if not given:
        return []
    context = PROPAGATOR.extract({"traceparent": given}, NEW_ROOT)
    caller = get_current_span(context).get_span_context()
    return [Link(caller)] if caller.is_valid else []


def below(hit: UUID) -> Context:
    """Return the context of the hit's span `hit`, which another process has made."""
    parent = SpanContext(
        trace_id=hit.int,
        span_id=hit.int & HALF,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(parent), NEW_ROOT)


def attributes_of(answered: Answered) -> dict[str, AttributeValue]:
    """Return the attributes that the spans of one request share."""
    attributes: dict[str, AttributeValue | None] = {
        "hitstream.integration": answered.integration,
        "hitstream.destination": answered.destination,
        "hitstream.attempt.id": str(answered.attempt),
        "hitstream.hits": len(answered.numbers),
        "hitstream.failed_hits": answered.failed_hits,
        "hitstream.duration": answered.duration,
        "http.response.status_code": answered.status,
        "error.type": answered.error or None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
