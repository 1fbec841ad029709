"""Which integrations take an event, as they are configured now, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracking.events import TYPES
from tracking.models import Integration

#: Names of a list that are shown.
SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRoute:
    """Whether the integration takes the event; `text` says on which condition, or why not."""

    integration: Integration
    is_taken: bool
    text: str


def is_listed(integration: Integration, name: str) -> bool:
    """Return whether the integration's list of events allows it. A hit without a name counts as an
    event of its type, and is in no list."""
    names = integration.event_names
    return not names or (name in names and name not in TYPES)


def is_taken(integration: Integration, name: str) -> bool:
    return integration.enabled and is_listed(integration, name)


def event_routes(integrations: Iterable[Integration], name: str) -> list[EventRoute]:
    """Return the route of the event into each integration, those that take it first."""
    routes = [
        EventRoute(
            integration=each,
            is_taken=is_taken(each, name),
            text=conditions(each, name) if is_taken(each, name) else obstacle(each),
        )
        for each in integrations
    ]
    return sorted(routes, key=lambda route: not route.is_taken)


def conditions(integration: Integration, name: str) -> str:
    """Return the rules of the mapping that concern the event; empty without one."""
    mapping = integration.mapping
    texts = []
    if condition := mapping.get("condition"):
        texts.append(_("only if %(condition)s") % {"condition": condition})
    if (percent := mapping.get("percent", 100)) < 100:
        texts.append(_("for %(percent)s%% of the users") % {"percent": f"{percent:g}"})
    if new := dict(mapping.get("rename", ())).get(name):
        texts.append(_("renamed to %(name)s") % {"name": new})
    if integration.paused_at:
        texts.append(_("paused: it is queued"))
    return " · ".join(texts)


def obstacle(integration: Integration) -> str:
    """Return why the integration does not take the event."""
    if integration.enabled:
        return listed(integration.event_names)
    if integration.draining:
        return _("draining: it only sends what was queued before")
    return _("disabled")


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    more = len(names) - SHOWN
    if more <= 0:
        return _("takes only %(names)s") % {"names": shown}
    text = ngettext(
        "takes only %(names)s and %(more)s other event",
        "takes only %(names)s and %(more)s other events",
        more,
    )
    return text % {"names": shown, "more": more}
