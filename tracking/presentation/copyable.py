"""Ids that can be copied."""

from __future__ import annotations

from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString


def copyable(value: Any, shown: Any = None) -> SafeString | str:
    """Return the value, or what is `shown` for it, in an element to which `copy.js` adds a button
    that copies the value. An empty value stays empty."""
    if value in (None, ""):
        return ""
    text = value if shown is None else shown
    return format_html(
        '<span class="hs-id" data-copy-id="{}">{}</span>', value, conditional_escape(text)
    )
