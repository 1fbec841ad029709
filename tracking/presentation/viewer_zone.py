"""The time zone of the viewer: the one that was chosen, else that of the browser."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

#: Set by console.js to the browser's time zone.
ZONE_COOKIE = "hitstream_zone"
#: The viewer's choice, which the browser's time zone does not replace: a name, or DEPLOYMENT.
CHOICE_COOKIE = "hitstream_zone_choice"
DEPLOYMENT = "deployment"
MAX_AGE = 31_536_000


def zone_of(request: HttpRequest) -> ZoneInfo | str:
    """Return the zone that the viewer has chosen, else that of the browser, else the
    deployment's."""
    for name in (choice_of(request), browser_zone(request)):
        if name in zones():
            return ZoneInfo(name)
        if name == DEPLOYMENT:
            break
    return timezone.get_default_timezone_name()


def choice_of(request: HttpRequest) -> str:
    """Return the chosen zone or DEPLOYMENT; empty if the browser's is to be used."""
    name = request.COOKIES.get(CHOICE_COOKIE, "")
    return name if name == DEPLOYMENT or name in zones() else ""


def browser_zone(request: HttpRequest) -> str:
    """Return the browser's time zone; empty if it is not known."""
    name = request.COOKIES.get(ZONE_COOKIE, "")
    return name if name in zones() else ""


def choose(response: HttpResponse, name: str) -> None:
    """Keep the choice in the browser; an empty name ends it. Raises ValueError for a zone that does
    not exist."""
    if not name:
        response.delete_cookie(CHOICE_COOKIE, samesite="Lax")
        return
    if name != DEPLOYMENT and name not in zones():
        raise ValueError(name)
    # Not HttpOnly: console.js reloads a page in the browser's zone only where none is chosen.
    response.set_cookie(
        CHOICE_COOKIE,
        name,
        max_age=MAX_AGE,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        samesite="Lax",
    )


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())
