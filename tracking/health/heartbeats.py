"""Worker and beat, by their heartbeats."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from tracking.health.component import Component, good, poor
from tracking.models import Heartbeat

#: Seconds of silence after which a process is taken for dead.
SILENT = 60.0
#: Seconds within which cron must run `manage.py sweep` if there is no worker.
SWEEP_SILENT = 900.0
#: A process that has been silent for so many seconds was removed on purpose, if sweeps do its work.
GIVEN_UP = 7 * 86_400.0
#: A worker that has been silent for so many seconds, while another one works, is not coming back.
GONE = 3600.0
#: How the names of single workers begin.
ONE_WORKER = "worker "
#: `sweep` is any `manage.py sweep`, `deliver` one with --deliver.
STAND_IN = {"worker": "deliver", "beat": "sweep"}
#: What to do if one is silent.
REMEDIES = {
    "worker": "run `celery -A project worker`, or `manage.py sweep --deliver` from cron",
    "beat": "run `celery -A project beat`, or `manage.py sweep` from cron",
}


def ages(now: datetime) -> dict[str, float]:
    """Return the seconds since each process' last heartbeat, of those that ever had one."""
    seen = {name: (now - at).total_seconds() for name, at in Heartbeat.objects.seen().items()}
    return {name: age for name, age in seen.items() if not is_gone(name, age)}


def is_gone(name: str, age: float) -> bool:
    return name.startswith(ONE_WORKER) and age >= GONE


def workers(seen: dict[str, float]) -> list[str]:
    """Return the names of single workers, sorted."""
    return sorted(name for name in seen if name.startswith(ONE_WORKER))


def silent(*, seconds: float) -> dict[str, str]:
    """Return the processes that have been silent for so long, each with a sentence."""
    seen = ages(timezone.now())
    found = {
        name: f"The {name} {since(seen.get(name))}: {remedy}."
        for name, remedy in REMEDIES.items()
        if seen.get(name, seconds) >= seconds and not is_replaced(name, seen)
    }
    if "worker" not in found:
        found |= {
            name: f"The {name} {since(seen[name])}: start it again, or wait an hour."
            for name in workers(seen)
            if seen[name] >= seconds
        }
    return found


def is_replaced(name: str, seen: dict[str, float]) -> bool:
    """Return whether sweeps do its work, in a project that does not run it, or no longer does."""
    sweeps = seen.get(STAND_IN[name], SWEEP_SILENT) < SWEEP_SILENT
    return sweeps and seen.get(name, GIVEN_UP) >= GIVEN_UP


def since(age: float | None) -> str:
    if age is None:
        return "was never seen"
    minutes = int(age // 60)
    return f"was seen last {f'{minutes} min' if minutes else f'{age:.0f} s'} ago"


def components() -> list[Component]:
    """Return the state of worker and beat. Raises django.db.Error."""
    mute, seen = silent(seconds=SILENT), ages(timezone.now())
    lost = [poor(name.capitalize(), mute[name]) for name in workers(seen) if name in mute]
    return [*(component_of(name, mute.get(name, ""), seen, len(lost)) for name in REMEDIES), *lost]


def component_of(name: str, complaint: str, seen: dict[str, float], lost: int) -> Component:
    if complaint:
        return poor(name.capitalize(), complaint)
    replaced = is_replaced(name, seen)
    text = "Sweeps do its work." if replaced else f"Last heartbeat {seen[name]:.0f} s ago."
    alive = len(workers(seen)) - lost
    if name == "worker" and alive > 1:
        text = f"{alive} workers. {text}"
    return good(name.capitalize(), text)
