"""The page of Celery tasks, from those of the app and the schedule in `tracking/server`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from celery import Task

from docs.generate.markdown import code, joined, table
from tracking.server.celery import app

MODULE = "tracking.tasks"


def write() -> str:
    return joined(
        "# Celery tasks",
        "No task carries data: each looks up in Postgres what has to be done, so a lost message "
        "costs time only. [Install in your Django project](../how-to/install.md) has the schedule "
        "for a project of your own; `manage.py sweep` does the same from cron.",
        table(("task", "beat runs it every", "what it does"), rows()),
    )


def rows() -> Iterator[tuple[str, str, str]]:
    schedules = {each["task"]: each["schedule"] for each in app.conf.beat_schedule.values()}
    for name, task in sorted(tasks().items()):
        every = f"{schedules[name]:,.0f} s" if name in schedules else ""
        yield code(name), every, inspect.getdoc(task.run) or ""


def tasks() -> dict[str, Task[..., object]]:
    """Return the tasks that the app brings, by name."""
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if task.__module__ == MODULE}
