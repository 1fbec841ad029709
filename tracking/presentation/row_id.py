"""Ids of rows in texts that anybody may write: a query string, a form, a command line."""

from __future__ import annotations

#: The digits of an id at most; Postgres' bigint has one more.
MAX_DIGITS = 18


def row_id(text: str) -> int | None:
    """Return the id, None for a text that is no row's id."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if is_number else None
