"""The time zone that the pages show their times in."""

from __future__ import annotations

from functools import cache
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.models.access.scope import Scope
from tracking.presentation.next_url import next_url
from tracking.presentation.viewer_zone import browser_zone, choice_of, choose, zones


@page(methods=("GET", "HEAD", "POST"))
def time_zone(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Show the choice of a time zone, or keep the one that was made and return to `next`."""
    if request.method == "POST":
        response = redirect(next_url(request) or reverse("hitstream-console:time-zone"))
        try:
            choose(response, request.POST.get("zone", ""))
        except ValueError:
            messages.error(request, _("There is no such time zone. Choose one of the list."))
        return response
    return show(
        request,
        "time_zone",
        title=_("Time zone"),
        here="time-zone",
        regions=regions(),
        utc="UTC",
        choice=choice_of(request),
        browser=browser_zone(request),
        deployment=timezone.get_default_timezone_name(),
        back=next_url(request),
    )


@cache
def regions() -> list[tuple[str, list[str]]]:
    """Return the zones of places by region: Europe/Berlin and its like."""
    skipped = ("Etc/", "SystemV/", "posix/", "right/", "US/")
    names = sorted(name for name in zones() if "/" in name and not name.startswith(skipped))
    grouped = groupby(names, key=lambda name: name.partition("/")[0])
    return [(region, list(found)) for region, found in grouped]
