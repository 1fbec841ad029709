"""Notes in Markdown as HTML for the admin: headings, paragraphs, lists, code, emphasis and links.

Everything else is shown as it is written; HTML in the text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.utils.html import escape, urlize
from django.utils.safestring import SafeString, mark_safe

CODE = re.compile(r"(`[^`]+`)")
EMPHASIS = re.compile(r"\*([^*\s][^*]*)\*")
LINK = re.compile(r"<(https://[^<>\s]+)>")
ITEM = re.compile(r"^- ", re.MULTILINE)


def render(text: str) -> SafeString:
    """Return the notes as HTML. The title, a heading of the first level, is left out."""
    body = re.sub(r"\A# .*\n", "", text)
    blocks = [block.strip() for block in re.split(r"\n\s*\n", body) if block.strip()]
    return mark_safe("\n".join(_block(block) for block in blocks))  # noqa: S308 (escaped in _line)


def _block(block: str) -> str:
    if block.startswith("#"):
        return f"<h4>{_line(block.lstrip('#'))}</h4>"
    if block.startswith("- "):
        items = (item for item in ITEM.split(block) if item)
        return f"<ul>{''.join(f'<li>{_line(item)}</li>' for item in items)}</ul>"
    return f"<p>{_line(block)}</p>"


def _line(text: str) -> str:
    parts = CODE.split(" ".join(text.split()))
    write: tuple[Callable[[str], str], ...] = (_words, _code)
    return "".join(write[at % 2](part) for at, part in enumerate(parts))


def _code(part: str) -> str:
    return f"<code>{escape(part[1:-1])}</code>"


def _words(part: str) -> str:
    return EMPHASIS.sub(r"<em>\1</em>", urlize(LINK.sub(r"\1", part), autoescape=True))
