"""The description of each ingest view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracking.ingest.http.collect import CollectView
from tracking.ingest.http.probes import AliveView, PrometheusView, ReadyView
from tracking.ingest.http.script import ScriptView
from tracking.ingest.http.track_batch import TrackBatchView
from tracking.ingest.http.views import IngestView, TrackView
from tracking.ingest.segment.pixel import PixelView
from tracking.ingest.segment.settings import SettingsView, SourceConfigView
from tracking.ingest.segment.views import BatchView, EventView, JitsuView, MetricsView
from tracking.openapi import get_operations, hits, probes, segment
from tracking.openapi.operation import ApiOperation

#: A description from the view, as its route has set it up, and the path.
Describe = Callable[[Any, str], ApiOperation]

OPERATIONS: Mapping[type[IngestView], Describe] = {
    TrackView: hits.track,
    TrackBatchView: hits.track_batch,
    CollectView: hits.collect,
    ScriptView: get_operations.script,
    EventView: segment.event,
    JitsuView: segment.jitsu,
    BatchView: segment.batch,
    MetricsView: segment.metrics,
    PixelView: get_operations.pixel,
    SettingsView: get_operations.settings,
    SourceConfigView: get_operations.source_config,
    AliveView: probes.alive,
    ReadyView: probes.ready,
    PrometheusView: probes.metrics,
}


def describe(view: IngestView, path: str) -> ApiOperation:
    """Return the description of the view's class, else of its nearest base."""
    return next(OPERATIONS[each](view, path) for each in type(view).__mro__ if each in OPERATIONS)
