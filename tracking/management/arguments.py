"""Arguments of commands: a value that cannot be used is an error of one line, never a traceback."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import models

#: Postgres' integer.
MOST = 2**31 - 1


def moment(text: str) -> datetime:
    """Return the time, in UTC unless it has an offset. Raises ArgumentTypeError."""
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text[:50]!r} is no ISO-8601 time") from None


def rate(text: str) -> int:
    """Return a whole number from 1 to 2,147,483,647. Raises ArgumentTypeError."""
    if not (text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= MOST):
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text[:50]!r}")
    return int(text)


def storable(text: str) -> str:
    """Return the text. Raises ArgumentTypeError for one that Postgres cannot store: with NUL, or
    with bytes of the command line that are not UTF-8."""
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise ArgumentTypeError("must be text in UTF-8 without NUL")
    return text


def filled(text: str) -> str:
    """Return the text. Raises ArgumentTypeError for a blank one, and as `storable` does."""
    if not text.strip():
        raise ArgumentTypeError("must not be empty")
    return storable(text)


def check(instance: models.Model, *fields: str) -> None:
    """Raise CommandError unless these fields of the row hold what a form would accept."""
    others = {field.name for field in instance._meta.fields} - set(fields)
    try:
        instance.clean_fields(exclude=others)
    except ValidationError as error:
        raise CommandError(message_of(error.message_dict)) from None


def message_of(errors: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {' '.join(map(str, each))}" for name, each in errors.items())
