"""From bytes to a JSON object that jsonb can hold.

What jsonb cannot hold (NUL, lone surrogates) is replaced; it is never a reason to lose a hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from tracking.conf import conf
from tracking.ingest.errors import BadRequest

Shape = TypeVar("Shape")

#: In JSON a backslash stands only inside strings; an escaped backslash is skipped with its partner.
UNSTORABLE = re.compile(
    rb"\\\\"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"
)


def decode(body: bytes, what: str = "The body") -> dict[str, Any]:
    """Return the JSON object of the body, as jsonb can hold it. Errors call the body `what`."""
    if not body.strip():
        raise BadRequest("body_empty", f"{what} is empty; send one hit as a JSON object.")
    if b"\\u" in body:
        body = UNSTORABLE.sub(lambda match: rb"\ufffd" if match[1] else match[0], body)
    try:
        payload = msgspec.json.decode(body)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("json_invalid", f"{what} is not valid JSON: {error}.") from None
    if not isinstance(payload, dict):
        raise BadRequest("json_not_object", f"{what} must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > conf.MAX_DEPTH and is_deep(payload, conf.MAX_DEPTH):
        raise too_deep()
    return payload


def decode_batch(decoder: msgspec.json.Decoder[Shape], body: bytes, wanted: str) -> Shape:
    """Return the body as the decoder reads it. Its Raw parts are decoded later, one by one, so that
    one bad part refuses no other. Raises BadRequest; `wanted` says what the body should be."""
    try:
        return decoder.decode(without_lone_surrogates(body))
    except msgspec.ValidationError as error:
        raise BadRequest("batch_invalid", f"The body must be {wanted}. {error}.") from None
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("json_invalid", f"The body is not valid JSON: {error}.") from None


def as_sent(body: bytes, raws: Iterable[msgspec.Raw]) -> list[bytes]:
    """Return the raw JSON of each item as it was sent, before lone surrogates were replaced, so
    that ids that differ only there stay different. A replacement is as long as what it replaces."""
    texts = [bytes(raw) for raw in raws]
    clean = without_lone_surrogates(body)
    if clean == body:
        return texts
    sent, end = [], 0
    for text in texts:
        start = clean.index(text, end)
        end = start + len(text)
        sent.append(body[start:end])
    return sent


def without_lone_surrogates(body: bytes) -> bytes:
    """Return the body for a decoder that refuses lone surrogates even in parts that it skips."""
    if b"\\u" not in body:
        return body
    return UNSTORABLE.sub(
        lambda match: match[0] if match[1] in {None, rb"\u0000"} else rb"\ufffd", body
    )


def exact_text(body: bytes, name: str) -> str:
    """Return a top-level text of the body in which replaced characters still differ."""
    body = UNSTORABLE.sub(lambda match: rb"\ufffe" + match[1][2:] if match[1] else match[0], body)
    return str(msgspec.json.decode(body).get(name))


def too_deep() -> BadRequest:
    return BadRequest("json_too_deep", f"The JSON is nested deeper than {conf.MAX_DEPTH} levels.")


def is_deep(value: Any, most: int) -> bool:
    """Return whether the value is nested deeper than `most` levels."""
    level = [value]
    for _ in range(most):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return False
    return any(isinstance(value, (dict, list)) for value in level)


def children(value: Any) -> list[Any]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in found if isinstance(child, (dict, list))]
