"""Values that senders write in several ways: raw JSON in, texts, numbers and objects out.

A missing text is "", a missing number None, a missing object empty. Numbers written as text are
read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from tracking.destinations.spec.iso import is_currency

Number = int | float


def text(raw: Mapping[str, Any], *names: str) -> str:
    """Return the first non-empty text among these keys; "" if there is none."""
    for name in names:
        if value := plain(raw.get(name)):
            return value
    return ""


def number(raw: Mapping[str, Any], *names: str) -> Number | None:
    """Return the first finite number among these keys; None if there is none."""
    for name in names:
        if (value := to_number(raw.get(name))) is not None:
            return value
    return None


def plain(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value)


def read_currency(*values: Any) -> str:
    """Return the first value that is a code of ISO 4217, in capitals; "" if there is none."""
    codes = (plain(value).upper() for value in values)
    return next((code for code in codes if is_currency(code)), "")


def to_number(value: Any) -> Number | None:
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def split_category(value: Any) -> tuple[str, ...]:
    """Return the levels of a category. The vendor's script writes "undefined" for a missing one."""
    levels = value if isinstance(value, list) else plain(value).replace(">", "/").split("/")
    cleaned = (plain(level) for level in levels)
    return tuple(level for level in cleaned if level and level != "undefined")


def as_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read_json(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a response; an empty one for anything else."""
    try:
        return as_object(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return {}
