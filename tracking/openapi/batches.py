"""The answers to batches: a result for each hit, or for each refused hit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracking.openapi.answers import REFUSALS, answer
from tracking.openapi.schemas import Schema

INDEX: Schema = {"type": "integer", "minimum": 0, "description": "Its place in the batch, from 0."}
COUNT: Schema = {"type": "integer", "minimum": 0}

#: The codes that refuse a batch as a whole.
OF_BATCH = frozenset({"batch_empty", "batch_invalid", "batch_too_large"})
#: The codes that refuse a single hit of a batch.
OF_ONE = frozenset({"hit_too_large", "json_invalid", "json_not_object", "json_too_deep"}) | {
    "field_invalid",
    "field_too_long",
    "event_required",
    "user_required",
    "unstorable",
}


def refused(codes: Iterable[str], **further: Schema) -> Schema:
    """Return the schema of one refused hit, with further fields."""
    fields: dict[str, Schema] = {
        "index": INDEX,
        **further,
        "code": {"type": "string", "enum": sorted(codes)},
        "message": {"type": "string"},
    }
    return exact(fields)


def exact(fields: dict[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """Return the schema of an object of these fields and no others."""
    return {
        "type": "object",
        "required": [name for name in fields if name not in {*optional}],
        "properties": fields,
        "additionalProperties": False,
    }


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def answered(schema: Schema, description: str, **examples: Any) -> dict[str, Any]:
    """Return a 200 in JSON."""
    shown = {
        name: {"summary": name.replace("_", " ").capitalize(), "value": value}
        for name, value in examples.items()
    }
    content = {"application/json": {"schema": schema, "examples": shown}}
    return {"200": {"description": description, "content": content}}


def all_refused(fields: dict[str, Schema], codes: Iterable[str], **example: Any) -> dict[str, Any]:
    """Return the 400 of a batch: one code refuses the whole, or each hit has its own, in these
    fields."""
    whole = answer(400, sorted(code for code in codes if REFUSALS[code].status == 400))
    nothing: dict[str, Any] = {"code": "nothing_stored", "message": example.pop("message")}
    schema = exact({"code": {"const": "nothing_stored"}, "message": {"type": "string"}, **fields})
    (media,) = whole["content"].values()
    media["schema"] = {"anyOf": [media["schema"], schema]}
    media["examples"]["nothing_stored"] = {"value": {**nothing, **example}}
    return {"400": whole}
