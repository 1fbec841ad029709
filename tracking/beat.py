"""The schedule of Hitstream's tasks, for Celery's beat: `CELERY_BEAT_SCHEDULE = {**SCHEDULE, ...}`.

It imports neither models nor settings, so that a settings module can read it.
"""

from __future__ import annotations

from typing import Any

#: The tasks, and how often each runs, in seconds.
EVERY = {
    # The safety net: it finds what a lost message or a dead worker left behind.
    "dispatch": 5.0,
    "consolidate": 60.0,
    "rollup": 15.0,
    "heartbeat": 15.0,
    "evaluate_alerts": 60.0,
    "maintain": 3600.0,
}
#: A message that waited for as long as its interval is dropped: the next one does its work.
SCHEDULE: dict[str, dict[str, Any]] = {
    f"hitstream-{name.replace('_', '-')}": {
        "task": f"hitstream.{name}",
        "schedule": seconds,
        "options": {"expires": seconds},
    }
    for name, seconds in EVERY.items()
}
