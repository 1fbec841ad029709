"""An operation as it is described here, and as OpenAPI has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.openapi.answers import answers
from tracking.openapi.schemas import Schema

API_TOKEN = {"apiToken": list[str]()}

#: The codes that the server itself may answer on any route.
ALWAYS = frozenset({"internal_error", "method_not_allowed", "overloaded"})
#: The codes of routes that require a token and store hits.
STORING = ALWAYS | {"rate_limited", "token_invalid", "unavailable"}
#: The codes of routes for one hit.
STORING_ONE = STORING | {"unstorable"}
#: The codes of routes that read a body.
READING = frozenset({"body_incomplete", "body_timeout", "body_too_large", "body_unreadable"}) | {
    "encoding_invalid",
    "encoding_unsupported",
    "json_invalid",
    "json_too_deep",
}
#: The codes of routes whose body is one object.
READING_ONE = READING | {"body_empty", "json_not_object"}
IN_HEADER = frozenset({"token_malformed", "token_missing"})


@dataclass(frozen=True, kw_only=True)
class ApiOperation:
    """An operation. `takes` are the bodies by media type, None for no body; `security` lists the
    schemes that name the token, any one of them; `answers` are the responses by status that are
    more than an error, `codes` the codes of the errors."""

    tag: str
    summary: str
    description: str = ""
    takes: Mapping[str, Any] | None = None
    parameters: Iterable[Mapping[str, Any]] = ()
    security: Iterable[Mapping[str, list[str]]] = ()
    answers: Mapping[str, Any]
    codes: frozenset[str]

    def at(self, path: str) -> dict[str, Any]:
        """Return the operation of this path, as OpenAPI has it."""
        described: dict[str, Any] = {
            "operationId": re.sub(r"\W+", "_", path).strip("_"),
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": [*self.parameters],
            "security": [*self.security],
            "responses": dict(sorted({**answers(self.codes), **self.answers}.items())),
        }
        if self.takes is not None:
            described["requestBody"] = {"required": True, "content": dict(self.takes)}
        return described


def media(schema: Schema, **examples: Any) -> dict[str, Any]:
    """Return a body: its schema, and examples by title."""
    shown = {
        name: {"summary": name.replace("_", " ").capitalize(), "value": value}
        for name, value in examples.items()
    }
    return {"schema": schema, "examples": shown} if shown else {"schema": schema}


def in_path(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
    }
