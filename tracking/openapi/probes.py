"""The operations for load balancers and Prometheus. They take no token; metrics have one of their
own.
"""

from __future__ import annotations

from typing import Any

from tracking.openapi.answers import answer
from tracking.openapi.batches import answered, exact
from tracking.openapi.operation import ALWAYS, ApiOperation
from tracking.openapi.schemas import Schema

PARTS: Schema = {
    "type": "object",
    "additionalProperties": {"enum": ["good", "poor", "bad"]},
}


def stating(*states: str, **others: Schema) -> Schema:
    return exact({"status": {"enum": list(states)}, **others, "parts": PARTS})


def stating_why(*states: str) -> Schema:
    """Return the schema of an answer that may have a reason."""
    fields: dict[str, Schema] = {
        "status": {"enum": list(states)},
        "parts": PARTS,
        "reason": {"type": "string"},
    }
    return exact(fields, optional=("reason",))


def alive(view: Any, path: str) -> ApiOperation:
    return ApiOperation(
        tag="Probes",
        summary="Whether the process answers",
        description="Nothing else is looked at. Restart it where this does not answer.",
        answers=answered(exact({"status": {"const": "ok"}}), "It does.", alive={"status": "ok"}),
        codes=ALWAYS,
    )


def ready(view: Any, path: str) -> ApiOperation:
    unavailable = stating("unavailable", reason={"type": "string"})
    refused = answer(503, ["overloaded"])
    refused["content"] = {
        "application/json": {
            "schema": {"anyOf": [unavailable, refused["content"]["application/json"]["schema"]]},
            "examples": {
                "without_postgres": {
                    "value": {
                        "status": "unavailable",
                        "reason": "Postgres takes no writes: it is a standby, or read-only.",
                        "parts": {"Postgres": "bad"},
                    },
                }
            },
        }
    }
    return ApiOperation(
        tag="Probes",
        summary="Whether hits can be stored",
        description="503 where a hit could not be stored: Postgres does not answer in time, is "
        "read-only, lacks the partition of today, or a table is locked; `reason` says which. "
        "Without a broker, a worker or beat hits are stored all the same: then it is `degraded`, "
        "and 200; also without Postgres, with a `reason`, where the deployment has a spool that "
        "takes them.",
        answers={
            **answered(
                stating_why("ok", "degraded"),
                "They can.",
                ready={"status": "ok", "parts": {"Postgres": "good"}},
            ),
            "503": refused,
        },
        codes=ALWAYS - {"overloaded"},
    )


def metrics(view: Any, path: str) -> ApiOperation:
    off = answer(404, ["metrics_off"])
    off["description"] = "Metrics are off: the deployment names no readers."
    return ApiOperation(
        tag="Probes",
        summary="Figures for Prometheus",
        description="Of the whole deployment, the same from every process.",
        security=[{"metricsToken": []}],
        answers={
            "200": {
                "description": "In Prometheus's text format.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "404": off,
        },
        codes=ALWAYS | {"metrics_refused", "unavailable"},
    )
