"""Values that senders write in several ways: raw JSON in, texts, numbers and objects out.

A missing text is "", a missing number None, a missing object empty; numbers that senders wrote as
text are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

Number = int | float


def text(raw: Mapping[str, Any], *names: str) -> str:
    """The first of these that has a text."""
    return next((found for found in (plain(raw.get(name)) for name in names) if found), "")


def number(raw: Mapping[str, Any], *names: str) -> Number | None:
    """The first of these that is a finite number."""
    return next((n for n in (to_number(raw.get(name)) for name in names) if n is not None), None)


def plain(value: Any) -> str:
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value).strip()


def read_currency(*values: Any) -> str:
    """The first that has the form of an ISO 4217 code, in capitals."""
    codes = (plain(value).upper() for value in values)
    return next(
        (code for code in codes if len(code) == 3 and code.isascii() and code.isalpha()), ""
    )


def to_number(value: Any) -> Number | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def split_category(value: Any) -> tuple[str, ...]:
    """A category's levels. The vendor's script writes "undefined" where there is none."""
    levels = value if isinstance(value, list) else plain(value).replace(">", "/").split("/")
    cleaned = (plain(level) for level in levels)
    return tuple(level for level in cleaned if level and level != "undefined")


def as_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def read_json(body: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; an empty one for anything else."""
    try:
        return as_object(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return {}
