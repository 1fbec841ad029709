"""The metrics as text. Many readers at once cost as much as one."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tracking.health.probe import Probe
from tracking.metrics.figures import figures

CONTENT_TYPE = CONTENT_TYPE_LATEST
#: Seconds that a reader waits: less than Prometheus does by default.
PATIENCE = 5.0


class Figures(Collector):
    def collect(self) -> Iterable[Metric]:
        return figures()

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering reads nothing."""
        return ()


def write() -> bytes:
    """Return the metrics as text. Raises django.db.Error."""
    registry = CollectorRegistry()
    registry.register(Figures())
    return generate_latest(registry)


exposition = Probe(write, patience=PATIENCE, remember=1.0)
