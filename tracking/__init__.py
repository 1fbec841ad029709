"""Hitstream, the app. `track` is all that other code needs to import."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracking.ingest.track import track

__all__ = ["track"]


def __getattr__(name: str) -> Any:
    """`track` stores models, which can be imported only once the apps are loaded."""
    if name != "track":
        raise AttributeError(f"module 'tracking' has no attribute {name!r}")
    from tracking.ingest.track import track  # noqa: PLC0415

    return track
