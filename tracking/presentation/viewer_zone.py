"""The time zone of the viewer."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest
from django.utils import timezone

#: Set by console.js to the browser's time zone.
ZONE_COOKIE = "hitstream_zone"


def zone_of(request: HttpRequest) -> ZoneInfo | str:
    """Return the viewer's time zone from the cookie, else the deployment's."""
    name = request.COOKIES.get(ZONE_COOKIE, "")
    return ZoneInfo(name) if name in zones() else timezone.get_default_timezone_name()


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())
