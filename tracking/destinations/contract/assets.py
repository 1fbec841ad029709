"""The files beside a destination's module: icon.svg and NOTES.md."""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

#: Attributes that an icon gets inside a page, where the label stands beside it.
INLINE = '<svg class="hs-icon" aria-hidden="true"'


def read_beside(kind: type[object], name: str) -> str:
    """Return the text of the file `name` in the folder of the class's module; "" without one."""
    try:
        return _read(Path(inspect.getfile(kind)).with_name(name))
    except (OSError, TypeError):
        return ""


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def inline_icon(svg: str) -> SafeString:
    """Return the icon.svg of a package as an element for a page. The file is trusted as code is."""
    start = svg.find("<svg")
    return mark_safe(svg[start:].replace("<svg", INLINE, 1).strip())  # noqa: S308


def letter_icon(letters: str, colour: str) -> SafeString:
    """Return the letters in white on a rounded square of the colour."""
    return format_html(
        '<svg class="hs-icon" aria-hidden="true" viewBox="0 0 24 24">'
        '<rect width="24" height="24" rx="5" fill="{}"/>'
        '<text x="12" y="16" text-anchor="middle" font-size="11" font-weight="600" fill="#fff">'
        "{}</text></svg>",
        colour,
        letters,
    )
