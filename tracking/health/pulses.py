"""Worker and beat, by when they were last seen to."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from tracking.health.part import Part, good, poor
from tracking.models import Pulse

#: Silent for longer than this, in seconds, a part is taken for dead.
SILENT = 60.0
#: Cron has to run `manage.py sweep` at least this often where there is no worker.
SWEEP_SILENT = 900.0
TODO = {
    "worker": "run `celery -A project worker`, or `manage.py sweep --deliver` from cron",
    "beat": "run `celery -A project beat`, or `manage.py sweep` from cron",
}


def ages(now: datetime) -> dict[str, float]:
    """Seconds since each was last seen to; those that never were are missing."""
    return {name: (now - at).total_seconds() for name, at in Pulse.objects.seen().items()}


def silent(*, seconds: float) -> dict[str, str]:
    """The parts that nobody saw for so long, each with a sentence; none where sweeps do it all."""
    seen = ages(timezone.now())
    if seen.get("sweep", SWEEP_SILENT) < SWEEP_SILENT and not {"worker", "beat"} & seen.keys():
        return {}
    return {
        name: f"The {name} {since(seen.get(name))}: {todo}."
        for name, todo in TODO.items()
        if seen.get(name, seconds) >= seconds
    }


def since(age: float | None) -> str:
    if age is None:
        return "was never seen"
    minutes = int(age // 60)
    return f"was seen last {f'{minutes} min' if minutes else f'{age:.0f} s'} ago"


def parts() -> list[Part]:
    """Raises django.db.Error."""
    mute, seen = silent(seconds=SILENT), ages(timezone.now())
    return [
        poor(name.capitalize(), mute[name])
        if name in mute
        else good(
            name.capitalize(),
            f"Seen {seen[name]:.0f} s ago." if name in seen else "Sweeps do its work.",
        )
        for name in TODO
    ]
