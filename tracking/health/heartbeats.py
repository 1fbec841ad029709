"""Worker and beat, by when they were last seen to."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from tracking.health.component import Component, good, poor
from tracking.models import Heartbeat

#: Silent for longer than this, in seconds, a part is taken for dead.
SILENT = 60.0
#: Cron has to run `manage.py sweep` at least this often where there is no worker.
SWEEP_SILENT = 900.0
#: A part that was not seen for so long was given up on purpose, if sweeps do its work.
GIVEN_UP = 7 * 86_400.0
#: `sweep` is any `manage.py sweep`, `deliver` one with --deliver.
STAND_IN = {"worker": "deliver", "beat": "sweep"}
#: What to do where one is silent.
REMEDIES = {
    "worker": "run `celery -A project worker`, or `manage.py sweep --deliver` from cron",
    "beat": "run `celery -A project beat`, or `manage.py sweep` from cron",
}


def ages(now: datetime) -> dict[str, float]:
    """Seconds since each was last seen to; those that never were are missing."""
    return {name: (now - at).total_seconds() for name, at in Heartbeat.objects.seen().items()}


def silent(*, seconds: float) -> dict[str, str]:
    """The parts that nobody saw for so long, each with a sentence."""
    seen = ages(timezone.now())
    return {
        name: f"The {name} {since(seen.get(name))}: {remedy}."
        for name, remedy in REMEDIES.items()
        if seen.get(name, seconds) >= seconds and not is_replaced(name, seen)
    }


def is_replaced(name: str, seen: dict[str, float]) -> bool:
    """Whether sweeps do its work, in a project that does not run it, or not any more."""
    sweeps = seen.get(STAND_IN[name], SWEEP_SILENT) < SWEEP_SILENT
    return sweeps and seen.get(name, GIVEN_UP) >= GIVEN_UP


def since(age: float | None) -> str:
    if age is None:
        return "was never seen"
    minutes = int(age // 60)
    return f"was seen last {f'{minutes} min' if minutes else f'{age:.0f} s'} ago"


def components() -> list[Component]:
    """Raises django.db.Error."""
    mute, seen = silent(seconds=SILENT), ages(timezone.now())
    return [component_of(name, mute.get(name, ""), seen) for name in REMEDIES]


def component_of(name: str, complaint: str, seen: dict[str, float]) -> Component:
    if complaint:
        return poor(name.capitalize(), complaint)
    replaced = is_replaced(name, seen)
    said = "Sweeps do its work." if replaced else f"Last heartbeat {seen[name]:.0f} s ago."
    return good(name.capitalize(), said)
