"""Every error code: its status, and a message as it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tracking.openapi.schemas import Schema


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    status: int
    message: str


REFUSALS: Mapping[str, ErrorAnswer] = MappingProxyType(
    {
        "batch_empty": ErrorAnswer(400, "There is no hit in the batch."),
        "batch_invalid": ErrorAnswer(400, 'The body must be an object with a list: {"hits": […]}.'),
        "batch_too_large": ErrorAnswer(400, "The batch is 3,000 hits; the limit is 2,500."),
        "body_empty": ErrorAnswer(400, "The body is empty; send one hit as a JSON object."),
        "body_incomplete": ErrorAnswer(400, "The body ended before it was complete"),
        "body_too_large": ErrorAnswer(400, "The body is 70,211 bytes; the limit is 65,536."),
        "body_unreadable": ErrorAnswer(400, "The body ended before it was complete."),
        "data_invalid": ErrorAnswer(400, "`data` must be the base64 of a JSON object."),
        "encoding_invalid": ErrorAnswer(400, "The body is not valid gzip."),
        "event_required": ErrorAnswer(400, "`event` is required and must be an object."),
        "field_invalid": ErrorAnswer(400, "`sentAt` must be an ISO-8601 time."),
        "field_required": ErrorAnswer(400, "`groupId` is required."),
        "field_too_long": ErrorAnswer(400, "`hitId` is 300 characters; the limit is 255."),
        "hit_too_large": ErrorAnswer(400, "It is 70,211 bytes; the limit is 65,536."),
        "host_invalid": ErrorAnswer(400, "The request does not say by which host it came."),
        "json_invalid": ErrorAnswer(400, "The body is not valid JSON: Input data was truncated."),
        "json_not_object": ErrorAnswer(400, "The body must be a JSON object."),
        "json_too_deep": ErrorAnswer(400, "The JSON is nested deeper than 100 levels."),
        "nothing_stored": ErrorAnswer(400, "None of the hits could be stored."),
        "type_invalid": ErrorAnswer(
            400, "`type` must be one of track, identify, page, screen, group, alias."
        ),
        "unstorable": ErrorAnswer(400, "Postgres cannot hold this hit: a number is out of range."),
        "user_required": ErrorAnswer(
            400, "A userId or an anonymousId is required, best in `event.user`."
        ),
        "origin_refused": ErrorAnswer(401, "The token takes nothing from https://shop.example."),
        "metrics_refused": ErrorAnswer(401, "Neither the token nor the address may read metrics."),
        "token_invalid": ErrorAnswer(
            401, "The API token is unknown, revoked, expired or disabled."
        ),
        "token_malformed": ErrorAnswer(401, "The credentials are not valid base64."),
        "token_missing": ErrorAnswer(
            401, "Send the API token as the user name of HTTP Basic, no password."
        ),
        "metrics_off": ErrorAnswer(404, "HITSTREAM_METRICS_TOKEN and _METRICS_FOR are not set."),
        "method_not_allowed": ErrorAnswer(405, 'Method "GET" not allowed.'),
        "body_timeout": ErrorAnswer(408, "The body did not arrive in time"),
        "content_type_unsupported": ErrorAnswer(415, "The Content-Type must be application/json."),
        "encoding_unsupported": ErrorAnswer(415, "Content-Encoding 'br': send gzip or none."),
        "rate_limited": ErrorAnswer(429, "The token's limit of hits a second is reached."),
        "internal_error": ErrorAnswer(500, "The server failed; the log says why."),
        "overloaded": ErrorAnswer(503, "The server is busy; send this again later"),
        "unavailable": ErrorAnswer(503, "The hit could not be stored; send it again later."),
    }
)

MEANING = {
    400: "Fix the request: sending it again unchanged cannot work.",
    401: "No token is given, or it is not valid.",
    404: "No usable token has this write key.",
    405: "Only the methods listed here, and OPTIONS for browsers.",
    408: "The body did not arrive within ten seconds.",
    415: "The Content-Type is not the required one.",
    429: "The rate limit of the token. Send the request again after Retry-After.",
    500: "A bug of ours; the log says more.",
    503: "Not stored as far as we know. Send it again after Retry-After, with the same hitId.",
}
#: Headers that an answer always has, by its status.
HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def answers(codes: Iterable[str]) -> dict[str, Any]:
    """Return the errors with these codes, as OpenAPI's responses."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes, key=lambda code: (REFUSALS[code].status, code)):
        by_status.setdefault(REFUSALS[code].status, []).append(code)
    return {str(status): answer(status, found) for status, found in by_status.items()}


def answer(status: int, codes: list[str]) -> dict[str, Any]:
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {
        "description": MEANING[status],
        "headers": headers_of(status),
        "content": {"application/json": {"schema": body(codes), "examples": examples}},
    }


def headers_of(status: int) -> dict[str, Any]:
    name = HEADERS.get(status)
    return {name: {"$ref": f"#/components/headers/{name}"}} if name else {}


def body(codes: list[str]) -> Schema:
    return {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {
                "type": "string",
                "enum": codes,
                "description": "It never changes its meaning.",
            },
            "message": {"type": "string", "description": "For people; it may change."},
        },
        "additionalProperties": False,
    }


EXAMPLES: dict[str, Any] = {
    code: {"value": {"code": code, "message": refusal.message}}
    for code, refusal in REFUSALS.items()
}
