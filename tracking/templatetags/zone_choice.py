"""The time zones that the user's menu offers."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.translation import gettext as _

from tracking.presentation.viewer_zone import DEPLOYMENT, browser_zone, choice_of

register = template.Library()


@register.simple_tag(takes_context=True)
def zone_choices(context: Context) -> list[tuple[str, str, bool]]:
    """Return the value, the label, and whether it is chosen: the browser's zone, UTC, the
    deployment's unless that is UTC, and the present one if it is another."""
    request: Any = context.get("request")
    if request is None:
        return []
    choice, browser = choice_of(request), browser_zone(request)
    deployment = timezone.get_default_timezone_name()
    found = {
        "": _("Browser (%(browser)s)") % {"browser": browser} if browser else _("Browser"),
        "UTC": "UTC",
    }
    if deployment != "UTC":
        found[DEPLOYMENT] = _("Deployment (%(deployment)s)") % {"deployment": deployment}
    elif choice == DEPLOYMENT:
        choice = "UTC"
    found.setdefault(choice, choice)
    return [(value, label, value == choice) for value, label in found.items()]
