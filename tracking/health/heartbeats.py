"""Worker and beat, by their heartbeats."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext_lazy

from tracking.health.component import Component, fill, good, poor
from tracking.models import Heartbeat

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

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
KINDS = {"worker": gettext_noop("Worker"), "beat": gettext_noop("Beat")}
#: What to do if one was never seen.
NEVER = {
    "worker": _(
        "The worker was never seen: run `hitstream worker` or your Celery worker, or "
        "`manage.py sweep --deliver` from cron."
    ),
    "beat": _(
        "The beat was never seen: run `hitstream beat` or your Celery beat, or `manage.py sweep` "
        "from cron."
    ),
}
#: What to do if one is silent.
SEEN_LAST = {
    "worker": _(
        "The worker was seen last %(age)s ago: run `hitstream worker` or your Celery worker, or "
        "`manage.py sweep --deliver` from cron."
    ),
    "beat": _(
        "The beat was seen last %(age)s ago: run `hitstream beat` or your Celery beat, or "
        "`manage.py sweep` from cron."
    ),
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


def silent(*, seconds: float) -> dict[str, StrOrPromise]:
    """Return the processes that have been silent for so long, each with a sentence."""
    seen = ages(timezone.now())
    found = {
        name: complaint(name, seen.get(name))
        for name in KINDS
        if seen.get(name, seconds) >= seconds and not is_replaced(name, seen)
    }
    if "worker" not in found:
        found |= {
            name: complaint(name, seen[name]) for name in workers(seen) if seen[name] >= seconds
        }
    return found


def is_replaced(name: str, seen: dict[str, float]) -> bool:
    """Return whether sweeps do its work, in a project that does not run it, or no longer does."""
    sweeps = seen.get(STAND_IN[name], SWEEP_SILENT) < SWEEP_SILENT
    return sweeps and seen.get(name, GIVEN_UP) >= GIVEN_UP


def complaint(name: str, age: float | None) -> StrOrPromise:
    """Return the sentence about a silent process. Single workers were seen at least once."""
    if age is None:
        return NEVER[name]
    minutes = int(age // 60)
    shown = (
        fill(_("%(count)s min"), count=minutes)
        if minutes
        else fill(_("%(count)s s"), count=f"{age:.0f}")
    )
    if name in SEEN_LAST:
        return fill(SEEN_LAST[name], age=shown)
    said = _("The worker %(node)s was seen last %(age)s ago: start it again, or wait an hour.")
    return fill(said, node=name.removeprefix(ONE_WORKER), age=shown)


def components() -> list[Component]:
    """Return the state of worker and beat. Raises django.db.Error."""
    mute, seen = silent(seconds=SILENT), ages(timezone.now())
    lost = [
        poor(KINDS["worker"], mute[name], name.removeprefix(ONE_WORKER).lower())
        for name in workers(seen)
        if name in mute
    ]
    return [*(component_of(name, mute.get(name, ""), seen, len(lost)) for name in KINDS), *lost]


def component_of(
    name: str, complaint: StrOrPromise, seen: dict[str, float], lost: int
) -> Component:
    if complaint:
        return poor(KINDS[name], complaint)
    if is_replaced(name, seen):
        text: StrOrPromise = _("Sweeps do its work.")
    else:
        text = fill(_("Last heartbeat %(seconds)s s ago."), seconds=f"{seen[name]:.0f}")
    alive = len(workers(seen)) - lost
    if name == "worker" and alive > 1:
        many = ngettext_lazy("%(count)s worker.", "%(count)s workers.", "count")
        text = format_lazy("{} {}", fill(many, count=alive), text)
    return good(KINDS[name], text)
