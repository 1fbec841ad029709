"""Numbers, ages and texts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from tracking.models import Attempt
from tracking.models.integrations.failing import failure_cause

register = template.Library()
NONE = "\N{EN DASH}"
# Imported, not loaded: the host's INSTALLED_APPS need not have humanize.
register.filter("naturaltime", naturaltime)


@register.filter
def number(value: Any) -> str:
    """Return the whole number with a separator between thousands; None is 0."""
    return str(intcomma(int(value or 0)))


@register.filter
def rate(value: float) -> str:
    """Return a rate, below 10 with one decimal."""
    return number(round(value)) if value >= 10 or not value else f"{value:.1f}"


@register.filter
def percent(share: float | None) -> str:
    """Return a share of 1 in per cent. Only all of it is 100 %."""
    if share is None:
        return NONE
    value = round((min(share, 0.999) if share < 1 else share) * 100, 1)
    places = 0 if value == int(value) else 1
    return f"{number_format(value, places)}%"


@register.filter
def change(value: float) -> str:
    """Return a change with its sign, below 10 with one decimal."""
    if abs(value) >= 10:
        return f"{value:+,.0f}"
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0"


@register.filter
def age(moment: datetime | None) -> str:
    """Return the time since the moment, in the unit that fits it."""
    return seconds((timezone.now() - moment).total_seconds()) if moment else NONE


@register.filter
def seconds(value: Any) -> str:
    """Return a duration given in seconds, in the unit that fits it."""
    if not isinstance(value, (int, float)):
        return NONE
    for size, decimals, text in (
        (86_400, 1, pgettext("duration", "%(number)s d")),
        (3600, 1, pgettext("duration", "%(number)s h")),
        (60, 1, pgettext("duration", "%(number)s min")),
        (1, 2, pgettext("duration", "%(number)s s")),
    ):
        if value >= size:
            return text % {"number": number_format(f"{value / size:.{decimals}f}", decimals)}
    return pgettext("duration", "%(number)s ms") % {"number": f"{value * 1000:.0f}"}


@register.filter
def moment(value: datetime, form: str = "Y-m-d H:i:s") -> str:
    """Return the moment in the time zone of the page. The first and the last day that a sender can
    give have no other zone than UTC."""
    try:
        return date_format(timezone.localtime(value), form)
    except OverflowError:
        return f"{date_format(value.astimezone(UTC), form)} UTC"


@register.filter
def result(attempt: Attempt) -> str:
    """Return the HTTP status of a request, or in a word why it has none."""
    return failure_cause(attempt.status, attempt.code, attempt.message)


@register.filter
def code(text: str) -> SafeString:
    """Return the text with the parts between backticks as code. A lone backtick stays."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    forms = ("{}", "<code>{}</code>")
    return format_html("".join(forms[at % 2] for at in range(len(parts))), *parts)
