"""Every ingest route and probe, with the largest body that it accepts. With and without a trailing
slash: some SDKs count a redirect as delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, path

from tracking.events import TYPES
from tracking.ingest.http.collect import CollectView
from tracking.ingest.http.probes import AliveView, PrometheusView, ReadyView
from tracking.ingest.http.script import ScriptView
from tracking.ingest.http.track_batch import TrackBatchView
from tracking.ingest.http.views import IngestView, TrackView
from tracking.ingest.parse.body import MAX_BATCH, MAX_BODY, MAX_EVENT
from tracking.ingest.segment.pixel import PixelView
from tracking.ingest.segment.settings import SettingsView, SourceConfigView
from tracking.ingest.segment.views import BatchView, EventView, JitsuView, MetricsView


@dataclass(frozen=True)
class Route:
    """`path` is as Django's `path()` takes it, without a slash at either end."""

    path: str
    view: type[IngestView]
    max_body: int = 0
    name: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        return "<" not in self.path

    def patterns(self) -> Iterator[URLPattern]:
        view = self.view.as_view(**self.settings)
        yield path(self.path, view, name=self.name)
        yield path(f"{self.path}/", view)


def segment_routes() -> Iterator[Route]:
    for type in TYPES:
        settings = {"type": type}
        yield Route(f"v1/{type}", EventView, MAX_EVENT, settings=settings)
        yield Route(f"v1/{type[0]}", EventView, MAX_EVENT, settings=settings)
        yield Route(f"v1/pixel/{type}", PixelView, settings=settings)
        yield Route(f"api/s/{type}", JitsuView, MAX_EVENT, settings=settings)
        yield Route(f"api/s/s2s/{type}", JitsuView, MAX_EVENT, settings=settings)
    for name in ("v1/batch", "v1/b", "beacon/v1/batch"):
        yield Route(name, BatchView, MAX_BATCH)
    yield Route("v1/import", BatchView, MAX_BATCH, settings={"historical": True})
    yield Route("v1/m", MetricsView, MAX_EVENT)
    yield Route("v1/projects/<str:key>/settings", SettingsView)
    yield Route("sourceConfig", SourceConfigView)


ROUTES = (
    Route("track", TrackView, MAX_BODY, name="track"),
    Route("track/batch", TrackBatchView, MAX_BATCH, name="track-batch"),
    Route("collect", CollectView, MAX_BODY, name="collect"),
    Route("t.js", ScriptView, name="script"),
    Route("f/<slug:path>.js", ScriptView),
    Route("f/<slug:path>", CollectView, MAX_BODY, name="first-party"),
    *segment_routes(),
    Route("healthz", AliveView, name="alive"),
    Route("readyz", ReadyView, name="ready"),
    Route("metrics", PrometheusView, name="metrics"),
)
urlpatterns = [pattern for route in ROUTES for pattern in route.patterns()]
