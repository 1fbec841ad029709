"""Postgres accepts every statement in a file; those of the hot path use their indexes."""

from __future__ import annotations

import json
import re
from typing import Any, LiteralString

import pytest
from django.db import connection

from tests.architecture.sql_lint import PACKAGE
from tracking.ingest.auth import authentication
from tracking.ingest.write import store
from tracking.models.deliveries import queue, settle
from tracking.sql import load

PARAMETER = re.compile(r"%\(([a-z_]+)\)s")
#: These make the tables that the statements after them read, or cannot be prepared.
OF_CITUS = {"distribution.sql"}  # Run by `make test-citus`.
NOT_PREPARED = ("SET ", "CREATE ")
TEMPORARY = (
    "CREATE TEMPORARY TABLE counted"
    " (quarter_hour timestamptz, token_id bigint, integration_id bigint, kind text, count numeric);"
    "CREATE TEMPORARY TABLE delivery_state (hit_id uuid, integration_id bigint, states text[])"
)


def numbered(statement: str) -> str:
    """The statement with numbered parameters, whose types Postgres finds out."""
    names: dict[str, int] = {}
    return PARAMETER.sub(
        lambda match: f"${names.setdefault(match[1], len(names) + 1)}", statement
    ).replace("%%", "%")


@pytest.mark.django_db
def test_postgres_accepts_every_statement() -> None:
    prepared = 0
    with connection.cursor() as cursor:
        cursor.execute(TEMPORARY)
        for path in sorted(PACKAGE.rglob("*.sql")):
            if "migrations" in path.parts or path.name in OF_CITUS:
                continue
            for name, statement in load(str(path.with_suffix(".py"))).items():
                if statement.startswith(NOT_PREPARED):
                    continue
                try:
                    cursor.execute(f"PREPARE statement_{prepared} AS {numbered(statement)}")
                except Exception as error:
                    raise AssertionError(f"{path.name}: {name}: {error}") from error
                prepared += 1
    assert prepared > 50


HOT: dict[str, tuple[LiteralString, dict[str, Any], set[str]]] = {
    "store": (
        store.SQL["store"],
        {"arrivals": "[]", "window": "0" * 32, "late_after": "1 hour", "watermark": 0},
        # The dedup key, and what a batch joins: by index, never by reading a table whole.
        {"hitstream_hitkey"},
    ),
    "look_up": (
        authentication.SQL["look_up"],
        {"digests": [b"x"], "projects": ["0" * 32], "paths": ["x"]},
        {"hitstream_token"},
    ),
    "claim": (
        queue.SQL["claim"],
        {
            "token": 1,
            "integration": 1,
            "least": 0,
            "most": 1,
            "limit": 10,
            "lease": 60.0,
            "bound": "epoch",
        },
        {"hitstream_queue"},
    ),
    "claim_in_order": (
        queue.SQL["claim_in_order"],
        {
            "token": 1,
            "integration": 1,
            "least": 0,
            "most": 1,
            "limit": 10,
            "lease": 60.0,
            "bound": "epoch",
            "parking": 300.0,
        },
        {"hitstream_queue"},
    ),
    "settle": (
        settle.SQL["settle"],
        {"entries": "[]", "attempts": "[]", "token": 1, "integration": 1},
        {"hitstream_queue", "hitstream_deadletter"},
    ),
    "release": (
        settle.SQL["release"],
        {"token": 1, "integration": 1, "ordering_keys": [1]},
        {"hitstream_queue"},
    ),
}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


@pytest.mark.parametrize("name", HOT)
@pytest.mark.django_db
def test_a_statement_of_the_hot_path_reads_no_table_whole(name: str) -> None:
    statement, parameters, tables = HOT[name]
    with connection.cursor() as cursor:
        # Without statistics of a large table the planner may still prefer to read an empty one.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        ((text,),) = cursor.fetchall()
    plan = text if isinstance(text, list) else json.loads(text)
    read_whole = {
        node["Relation Name"]
        for node in nodes(plan[0]["Plan"])
        if node["Node Type"] == "Seq Scan" and "Relation Name" in node
    }
    assert not read_whole & tables
