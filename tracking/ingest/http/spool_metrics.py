"""The metrics of this node's spool, which are there while Postgres is away."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from tracking.ingest.write.spool.spool import Spool


class SpoolFigures(Collector):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def collect(self) -> Iterable[Metric]:
        found = self._spool.meter.measure()
        for name, text, value in (
            ("bytes", "Bytes of spooled hits on this node.", found.bytes),
            ("limit_bytes", "Bytes that may be spooled on this node.", found.limit),
            ("hits", "Spooled hits on this node.", found.hits),
            ("oldest_seconds", "Age of the oldest spooled hit; 0 without one.", found.oldest),
            (
                "postgres_away",
                "1 while this process sends hits to the spool.",
                float(self._spool.presence.is_away),
            ),
        ):
            yield GaugeMetricFamily(f"hitstream_spool_{name}", text, value=value)

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering reads nothing."""
        return ()


def write(spool: Spool) -> bytes:
    registry = CollectorRegistry()
    registry.register(SpoolFigures(spool))
    return generate_latest(registry)
