"""The GET operations: the script, the pixel, and the settings of browser SDKs."""

from __future__ import annotations

from typing import Any

from tracking.openapi import samples
from tracking.openapi.answers import MEANING, REFUSALS, answer, headers_of
from tracking.openapi.batches import answered
from tracking.openapi.operation import ALWAYS, ApiOperation, in_path
from tracking.openapi.schemas import Schema
from tracking.openapi.segment import BY_TYPE, EVENT_CODES, WORDS

KEY_IN_QUERY: list[dict[str, list[str]]] = [{"writeKeyInQuery": []}]
#: The codes of a pixel; the answer is a gif all the same.
PIXEL_CODES = EVENT_CODES | {
    "body_empty",
    "body_too_large",
    "data_invalid",
    "json_invalid",
    "json_not_object",
    "json_too_deep",
    "origin_refused",
    "rate_limited",
    "token_invalid",
    "token_missing",
    "unavailable",
    "unstorable",
}
GIF: dict[str, Any] = {"image/gif": {"schema": {"type": "string", "contentMediaType": "image/gif"}}}
SEGMENT_SETTINGS: Schema = {
    "type": "object",
    "required": ["integrations", "plan"],
    "description": "As @segment/analytics-next reads it.",
}
SOURCE_CONFIG: Schema = {
    "type": "object",
    "required": ["source"],
    "description": "As @rudderstack/analytics-js reads it.",
}


def pixel(view: Any, path: str) -> ApiOperation:
    codes = PIXEL_CODES | BY_TYPE.get(view.type, set())
    statuses = {REFUSALS[code].status for code in codes}
    refused = {
        str(status): gif(status, sorted(code for code in codes if REFUSALS[code].status == status))
        for status in statuses
    }
    busy = answer(503, ["overloaded"])["content"]
    refused["503"]["content"] = {**GIF, **busy}
    data = {
        "name": "data",
        "in": "query",
        "required": True,
        "description": "The event as the base64 of JSON, in either alphabet, at most 72 KB of it.",
        "schema": {"type": "string", "contentEncoding": "base64"},
        "example": samples.PIXEL,
    }
    return ApiOperation(
        tag="Segment",
        summary=f"{view.type.capitalize()} by an image: {WORDS[view.type]}",
        description="For where no script runs, such as a mail. The answer is always a gif of one "
        "pixel; its status says whether the event is stored, `X-Hitstream-Code` why not. The write "
        "key is `writeKey` in the event or in the query.",
        parameters=[data],
        security=KEY_IN_QUERY,
        answers={"200": {"description": "The event is committed.", "content": GIF}, **refused},
        codes=ALWAYS - {"overloaded"},
    )


def gif(status: int, codes: list[str]) -> dict[str, Any]:
    """Return an error whose body is an image."""
    code = {
        "description": "Why the event is not stored.",
        "schema": {"type": "string", "enum": codes},
    }
    return {
        "description": MEANING[status],
        "headers": {"X-Hitstream-Code": code, **headers_of(status)},
        "content": GIF,
    }


def settings(view: Any, path: str) -> ApiOperation:
    described = {
        "integrations": {
            "Segment.io": {
                "apiKey": samples.COLLECTED["projectId"],
                "apiHost": "hits.example/v1",
                "protocol": "https",
            }
        },
        "metrics": {"sampleRate": 0},
        "plan": {"track": {"__default": {"enabled": True}}},
    }
    return ApiOperation(
        tag="Segment",
        summary="Where analytics.js is to send",
        description="A page sets this one address. The answer does not need the database.",
        parameters=[in_path("key", "A project id, or an API token.")],
        answers={
            **answered(SEGMENT_SETTINGS, "The host of the request.", the_least=described),
            "404": answer(404, ["token_invalid"]),
        },
        codes=ALWAYS | {"host_invalid"},
    )


def source_config(view: Any, path: str) -> ApiOperation:
    off = {"enabled": False}
    source = {
        "id": "hitstream",
        "name": "Hitstream",
        "writeKey": samples.COLLECTED["projectId"],
        "enabled": True,
        "workspaceId": "hitstream",
        "config": {"statsCollection": {"errors": off, "metrics": off}},
        "destinations": [],
    }
    return ApiOperation(
        tag="RudderStack",
        summary="Which destinations the browser sends to: none",
        description="All of them are sent to from here.",
        security=[*KEY_IN_QUERY, {"writeKey": []}],
        answers={
            **answered(SOURCE_CONFIG, "The source.", the_least={"source": source}),
            "404": answer(404, ["token_invalid"]),
        },
        codes=ALWAYS | {"token_malformed", "token_missing"},
    )


def script(view: Any, path: str) -> ApiOperation:
    by_path = "{" in path
    where = "/f/{path}" if by_path else "/collect"
    text = {"text/javascript": {"schema": {"type": "string"}}}
    return ApiOperation(
        tag="Browsers",
        summary=f"The script that sends to {where}",
        description="For a `<script>` element. It is the same for every token; none is looked up.",
        parameters=[in_path("path", "The token's first-party path.", pattern="^[-a-zA-Z0-9_]+$")]
        if by_path
        else [],
        answers={
            "200": {"description": "Good for an hour.", "content": text},
            "304": {"description": "It is the one of `If-None-Match`."},
        },
        codes=ALWAYS,
    )
