"""Hitstream, the app. Other code imports `track` from here, and nothing else."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracking.ingest.track import track

__all__ = ["track"]


def __getattr__(name: str) -> Any:
    """Return `track` lazily: its models can be imported only once the apps are loaded."""
    if name != "track":
        raise AttributeError(f"module 'tracking' has no attribute {name!r}")
    from tracking.ingest.track import track  # noqa: PLC0415

    return track
