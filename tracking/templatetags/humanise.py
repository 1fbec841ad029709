"""Numbers and texts as people read them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def number(value: Any) -> str:
    """With a separator between thousands; nothing is 0."""
    return f"{int(value or 0):,}"


@register.filter
def rate(value: float) -> str:
    """A number for each minute: small ones with a digit behind the point."""
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:,.1f}"


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago it was, in the unit that fits it."""
    return seconds((timezone.now() - moment).total_seconds()) if moment else "-"


@register.filter
def seconds(value: Any) -> str:
    """A duration in the unit that fits it."""
    if not isinstance(value, (int, float)):
        return "-"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


@register.filter
def code(text: str) -> SafeString:
    """What stands between backticks looks like code. A lone one stays."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    forms = ("{}", "<code>{}</code>")
    return format_html("".join(forms[at % 2] for at in range(len(parts))), *parts)
