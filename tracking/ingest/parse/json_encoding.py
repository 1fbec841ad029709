"""From Python values to the JSON that a client would send, for hits from inside Django.

Source: `django.core.serializers.json.DjangoJSONEncoder` for times, UUIDs and lazy texts. Decimals
are numbers here, as they are for every other sender: a condition such as `properties.total > 10`
must hold for them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from tracking.ingest.errors import BadRequest
from tracking.ingest.parse.json_decoding import too_deep

ENCODER = DjangoJSONEncoder()


def encode(hit: Mapping[str, Any]) -> bytes:
    """Return the JSON of the values; a lone surrogate, as in a file name, is escaped. Raises
    BadRequest, which names the value that JSON cannot hold."""
    try:
        values = plain(hit, "")
        text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:
        if isinstance(error, BadRequest):
            raise
        raise BadRequest("json_invalid", f"JSON cannot hold the hit: {error}.") from None
    return text.encode(errors="backslashreplace")


def plain(value: Any, path: str) -> Any:
    """Return the value as JSON's own types. `path` names it in errors, as in `event.total`."""
    if isinstance(value, Enum):
        return plain(value.value, path)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {
            name: plain(item, f"{path}.{name}" if path else name)
            for name, item in ((plain_name(key, path), item) for key, item in value.items())
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float | Decimal):
        return number(value, path)
    try:
        return ENCODER.default(value)
    except (TypeError, ValueError):
        raise refused(path, f"is a {type(value).__name__}, which JSON cannot hold") from None


def number(value: float | Decimal, path: str) -> float | int:
    """Return a whole decimal as an integer, any other as the nearest double."""
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise refused(path, f"is {value}, which JSON cannot hold")
    if isinstance(value, float):
        return value
    # An exponent of a million would be an integer of a million digits.
    if value == value.to_integral_value() and value.adjusted() < 300:
        return int(value)
    return float(value)


def plain_name(key: Any, path: str) -> str:
    name = key if isinstance(key, str) else plain(key, path)
    return name if isinstance(name, str) else json.dumps(name)


def refused(path: str, why: str) -> BadRequest:
    return BadRequest("json_invalid", f"`{path}` {why}.")
