"""The languages that a person can choose for the pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.utils.translation import get_language, get_language_info

register = template.Library()
CATALOGUES = Path(__file__).resolve().parents[1] / "locale"
#: The language of the source.
SOURCE = "en"


@register.simple_tag
def languages() -> list[tuple[str, str, bool]]:
    """Return the languages of the project that Hitstream is translated into: the code, the name in
    the language itself, and whether it is the present one. Empty if there is no choice."""
    present = (get_language() or SOURCE).partition("-")[0]
    codes = [code for code, _ in settings.LANGUAGES if code in translated()]
    found = [(code, get_language_info(code)["name_local"], code == present) for code in codes]
    return found if len(found) > 1 else []


@cache
def translated() -> frozenset[str]:
    return frozenset({SOURCE, *(each.name for each in CATALOGUES.iterdir() if each.is_dir())})
