"""An operation as it is written down here, and as OpenAPI has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.openapi.answers import answers
from tracking.openapi.schemas import Schema

API_TOKEN = {"apiToken": list[str]()}

#: What the server itself may say, whatever is asked for.
ALWAYS = frozenset({"internal_error", "method_not_allowed", "overloaded"})
#: Where a token is asked for and hits are stored.
STORING = ALWAYS | {"rate_limited", "token_invalid", "unavailable"}
#: Where one hit is.
STORING_ONE = STORING | {"unstorable"}
#: Where a body is read.
READING = frozenset({"body_incomplete", "body_timeout", "body_too_large", "body_unreadable"}) | {
    "encoding_invalid",
    "encoding_unsupported",
    "json_invalid",
    "json_too_deep",
}
#: Where the body is one object.
READING_ONE = READING | {"body_empty", "json_not_object"}
IN_HEADER = frozenset({"token_malformed", "token_missing"})


@dataclass(frozen=True, kw_only=True)
class ApiOperation:
    """`takes` are the bodies by media type, None for no body; `security` says which schemes name
    the token, any one of them; `answers` are those by status that are not an error of ours alone,
    `codes` the codes of the others."""

    tag: str
    summary: str
    description: str = ""
    takes: Mapping[str, Any] | None = None
    parameters: Iterable[Mapping[str, Any]] = ()
    security: Iterable[Mapping[str, list[str]]] = ()
    answers: Mapping[str, Any]
    codes: frozenset[str]

    def at(self, path: str) -> dict[str, Any]:
        """The operation of this path, as OpenAPI has it."""
        said: dict[str, Any] = {
            "operationId": re.sub(r"\W+", "_", path).strip("_"),
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": [*self.parameters],
            "security": [*self.security],
            "responses": dict(sorted({**answers(self.codes), **self.answers}.items())),
        }
        if self.takes is not None:
            said["requestBody"] = {"required": True, "content": dict(self.takes)}
        return said


def media(schema: Schema, **examples: Any) -> dict[str, Any]:
    """A body: its schema and what may stand there, by what it shows."""
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
