"""Hitstream's models on the first page of the admin, by what one does with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracking.presentation.admin_frame import is_in_console

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()

#: The label of each group, and its models with a line of text.
TASKS: tuple[tuple[StrOrPromise, Mapping[str, StrOrPromise]], ...] = (
    (
        pgettext_lazy("task", "Send"),
        {"Token": _("Who may send hits, and from where.")},
    ),
    (
        pgettext_lazy("task", "Deliver"),
        {
            "Integration": _("Where hits go, and what is sent."),
            "Delivery": _("What waits for its next attempt."),
            "Attempt": _("Requests to destinations, and the responses."),
            "DeadLetter": _("What a destination did not take, to be replayed."),
            "Operation": _("Replays and backfills, with their progress."),
        },
    ),
    (
        pgettext_lazy("task", "Watch"),
        {
            "AlertRule": _("When somebody is notified."),
            "AlertChannel": _("How somebody is notified: e-mail, Slack, webhook."),
        },
    ),
    (
        pgettext_lazy("task", "Record"),
        {
            "Hit": _("What arrived, as it arrived."),
            "Revision": _("Who changed a token or its integrations."),
            "FileImport": _("Files of hits, and how far their imports are."),
        },
    ),
)


@dataclass(frozen=True)
class TaskGroup:
    """The models of one task that the user may see, each with its line of text."""

    label: StrOrPromise
    models: list[tuple[Mapping[str, Any], StrOrPromise]]


@register.filter
def task_groups(app: Mapping[str, Any]) -> list[TaskGroup]:
    """Return the groups of the app, of Django's list of apps; none of another app, or where the
    console has no frame."""
    if app["app_label"] != "hitstream" or not is_in_console():
        return []
    present = {model["object_name"]: model for model in app["models"]}
    groups = [
        TaskGroup(
            label, [(present.pop(name), text) for name, text in lines.items() if name in present]
        )
        for label, lines in TASKS
    ]
    rest: Iterable[Mapping[str, Any]] = present.values()
    groups.append(TaskGroup(_("Other"), [(model, "") for model in rest]))
    return [group for group in groups if group.models]


@register.filter
def other_apps(apps: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the apps that are not shown by task."""
    return [app for app in apps if not task_groups(app)]
