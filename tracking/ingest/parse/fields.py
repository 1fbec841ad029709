"""The fields of a hit, one by one: what each may be, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any
from uuid import UUID

from tracking.ingest.errors import BadRequest
from tracking.models.hits.hit import digest_of_email

MAX_TEXT = 255
ISO_8601 = re.compile(r"[0-9W-]{8,10}([Tt ][0-9:.,Zz+-]+)?")


def text(value: Any, name: str) -> str:
    """Return an id as text: a number becomes its digits, null is absent. Raises BadRequest."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadRequest("field_invalid", f"`{name}` must be a string.")
    if len(value) > MAX_TEXT:
        raise BadRequest(
            "field_too_long", f"`{name}` is {len(value)} characters; the limit is {MAX_TEXT}."
        )
    return value


def objects(*values: Any) -> list[dict[str, Any]]:
    """Return the values that are objects."""
    return [value for value in values if isinstance(value, dict)]


def first_text(places: list[dict[str, Any]], name: str) -> str:
    """Return the first id that one of the places holds. Every id that is present must be valid,
    else BadRequest."""
    first = ""
    for place in places:
        value = place.get(name)
        if value is not None:
            found = text(value, name)
            first = first or found
    return first


def first_loose(places: list[dict[str, Any]], name: str) -> str:
    """Return a free-form property as the text of a column. It is never a reason to refuse a hit."""
    for place in places:
        value = place.get(name)
        if isinstance(value, str):
            return value[:MAX_TEXT]
    return ""


def email_digest(places: list[dict[str, Any]]) -> UUID | None:
    """Return the digest of the first `email` that is an address, for the search; None without
    one."""
    for place in places:
        value = place.get("email")
        if isinstance(value, str) and "@" in value:
            return digest_of_email(value)
    return None


def check_objects(payload: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise BadRequest if one of the fields is present and no object."""
    for name in names:
        if not isinstance(payload.get(name), (dict, NoneType)):
            raise BadRequest("field_invalid", f"`{name}` must be an object.")


def iso_time(value: str) -> datetime:
    """Return an ISO-8601 time in UTC, read as UTC without a zone. Raises ValueError."""
    if not ISO_8601.fullmatch(value):
        raise ValueError(value)
    try:
        parsed = datetime.fromisoformat(value.upper())
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(value) from None


def moment(value: Any, name: str) -> datetime | None:
    """Return an ISO-8601 time, in UTC without a zone; None for none. Raises BadRequest."""
    if value is None:
        return None
    try:
        return iso_time(value)
    except (TypeError, ValueError):
        raise BadRequest("field_invalid", f"`{name}` must be an ISO-8601 time.") from None
