"""Moments as `<time>` elements: the relative time in sight and the exact one in the title, or the
other way round. `times.js` keeps the relative times current.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import NaturalTimeFormatter
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

NONE = "\N{EN DASH}"
#: A moment further away than this is shown as it is.
RECENT = timedelta(days=7)
#: The precisions of an exact time.
FORMS = {"minute": "Y-m-d H:i", "second": "Y-m-d H:i:s", "clock": "H:i:s"}


def ago(value: datetime | None) -> str | SafeString:
    """Return the moment as people say it (3 minutes ago), the exact time in the title. A moment
    of more than a week ago is exact."""
    if value is None:
        return NONE
    if abs(timezone.now() - value) > RECENT:
        return exact(value)
    return element(value, "relative", relative(value), written(value, "second", with_zone=True))


def exact(value: datetime | None, precision: str = "second") -> str | SafeString:
    """Return the moment in the time zone of the page, the relative time in the title. The precision
    is minute, second, millisecond or clock (without the day)."""
    if value is None:
        return NONE
    if precision == "clock":
        return element(value, "clock", written(value, precision), written(value, "second", True))
    return element(value, "exact", written(value, precision), relative(value))


def relative(value: datetime) -> str:
    """Return the moment in one unit, in Django's own words for it."""
    words: Any = NaturalTimeFormatter
    now = timezone.now()
    distance = abs(now - value)
    tense, since, names = (
        ("past", timesince, words.past_substrings)
        if value <= now
        else ("future", timeuntil, words.future_substrings)
    )
    if distance.days:
        delta = since(value, now, time_strings=names, depth=1)
        return str(words.time_strings[f"{tense}-day"] % {"delta": delta})
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if count := distance.seconds // size:
            return str(words.time_strings[f"{tense}-{unit}"] % {"count": count})
    return str(words.time_strings["now"])


def element(value: datetime, kind: str, text: str, title: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}" data-time="{}">{}</time>',
        value.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        title,
        kind,
        text,
    )


def written(value: datetime, precision: str, with_zone: bool = False) -> str:
    """Return the exact text. The first and the last day that a sender can give have no other zone
    than UTC."""
    try:
        local, zone = timezone.localtime(value), ""
    except OverflowError:
        local, zone = value.astimezone(UTC), " UTC"
    if precision == "millisecond":
        text = f"{date_format(local, FORMS['second'])}.{local.microsecond // 1000:03d}"
    else:
        text = date_format(local, FORMS[precision])
    return f"{text} {date_format(local, 'T')}" if with_zone and not zone else f"{text}{zone}"
