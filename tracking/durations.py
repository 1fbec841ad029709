"""Durations as people write them: "7 days", "1 h 30 min", "30 s", or a number of seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: Seconds of each unit, and the words for it, the greatest first.
UNITS: tuple[tuple[float, frozenset[str]], ...] = (
    (604_800, frozenset({"w", "week", "weeks"})),
    (86_400, frozenset({"d", "day", "days"})),
    (3_600, frozenset({"h", "hr", "hrs", "hour", "hours"})),
    (60, frozenset({"m", "min", "mins", "minute", "minutes"})),
    (1, frozenset({"", "s", "sec", "secs", "second", "seconds"})),
    (0.001, frozenset({"ms", "millisecond", "milliseconds"})),
)
#: The units in which a duration is shown.
SHOWN = (86_400, 3_600, 60, 1)
TERM = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d_]*)\.?\s*")


def format_duration(seconds: float) -> str:
    """Return the duration in the greatest unit of which it is a whole number."""
    for unit in SHOWN:
        if seconds >= unit and seconds % unit == 0:
            return in_unit(round(seconds / unit), unit)
    if 0 < seconds < 1:
        return in_unit(round(seconds * 1000), 0.001)
    return _("%(number)s s") % {"number": f"{seconds:g}"}


def in_unit(number: int, unit: float) -> str:
    texts = {
        604_800: ngettext("%(number)s week", "%(number)s weeks", number),
        86_400: ngettext("%(number)s day", "%(number)s days", number),
        3_600: _("%(number)s h"),
        60: _("%(number)s min"),
        1: _("%(number)s s"),
        0.001: _("%(number)s ms"),
    }
    return texts[unit] % {"number": number}


def parse_duration(text: str) -> float:
    """Return the seconds. Raises ValueError."""
    text = text.strip().lower()
    terms = list(TERM.finditer(text))
    if not terms or "".join(each[0] for each in terms) != text:
        raise ValueError(text)
    return sum(_seconds(each) for each in terms)


def _seconds(term: re.Match[str]) -> float:
    number = float(term[1].replace(",", "."))
    for unit, words in UNITS:
        if term[2] in words or term[2] in _translated(number, unit):
            return round(number * unit, 3)
    raise ValueError(term[0])


def _translated(number: float, unit: float) -> Iterator[str]:
    """Yield the word for the unit in the language of the page, as it is shown there."""
    for each in {round(number), 2}:
        yield in_unit(each, unit).lstrip("0123456789").strip().lower().rstrip(".")
