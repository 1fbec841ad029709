"""What batches are answered with: a result for each hit, or for each that was refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracking.openapi.answers import REFUSALS, answer
from tracking.openapi.schemas import Schema

INDEX: Schema = {"type": "integer", "minimum": 0, "description": "Its place in the batch, from 0."}
COUNT: Schema = {"type": "integer", "minimum": 0}

#: What a batch can be refused with as a whole.
OF_BATCH = frozenset({"batch_empty", "batch_invalid", "batch_too_large"})
#: What a single hit of a batch can be refused with.
OF_ONE = frozenset({"hit_too_large", "json_invalid", "json_not_object", "json_too_deep"}) | {
    "field_invalid",
    "field_too_long",
    "event_required",
    "user_required",
    "unstorable",
}


def refused(codes: Iterable[str], **further: Schema) -> Schema:
    """One hit that was refused, with further fields."""
    fields: dict[str, Schema] = {
        "index": INDEX,
        **further,
        "code": {"type": "string", "enum": sorted(codes)},
        "message": {"type": "string"},
    }
    return exact(fields)


def exact(fields: dict[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """An object of these fields and no others."""
    return {
        "type": "object",
        "required": [name for name in fields if name not in {*optional}],
        "properties": fields,
        "additionalProperties": False,
    }


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def answered(schema: Schema, description: str, **examples: Any) -> dict[str, Any]:
    """A 200 in JSON."""
    shown = {
        name: {"summary": name.replace("_", " ").capitalize(), "value": value}
        for name, value in examples.items()
    }
    content = {"application/json": {"schema": schema, "examples": shown}}
    return {"200": {"description": description, "content": content}}


def all_refused(fields: dict[str, Schema], codes: Iterable[str], **example: Any) -> dict[str, Any]:
    """The 400 of a batch: the whole is refused with one of the codes, or each hit with its own,
    which these fields tell."""
    whole = answer(400, sorted(code for code in codes if REFUSALS[code].status == 400))
    nothing: dict[str, Any] = {"code": "nothing_stored", "message": example.pop("message")}
    schema = exact({"code": {"const": "nothing_stored"}, "message": {"type": "string"}, **fields})
    (media,) = whole["content"].values()
    media["schema"] = {"anyOf": [media["schema"], schema]}
    media["examples"]["nothing_stored"] = {"value": {**nothing, **example}}
    return {"400": whole}
