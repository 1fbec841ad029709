"""Reads of many integrations or tokens: one statement or, where the tables of hits are distributed
over several servers, one for each token, which one server answers by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, LiteralString

from django.db.backends.utils import CursorWrapper

from tracking import db
from tracking.models.integrations.integration import Integration
from tracking.sql import OF_TOKEN

Statements = Mapping[str, LiteralString]
Parameters = Callable[[list[int]], Mapping[str, Any]]


def rows_of_integrations(
    cursor: CursorWrapper,
    statements: Statements,
    name: str,
    integrations: Collection[int],
    parameters: Parameters,
) -> list[tuple[Any, ...]]:
    """Return the rows of the statement; `parameters` are those for some of the integrations."""
    if not db.is_distributed():
        return _rows(cursor, statements[name], parameters(list(integrations)))
    own: defaultdict[int, list[int]] = defaultdict(list)
    for pk, token in Integration.objects.filter(pk__in=integrations).values_list("pk", "token_id"):
        own[token].append(pk)
    return [
        row
        for token, group in own.items()
        for row in _rows(cursor, statements[name + OF_TOKEN], {**parameters(group), "token": token})
    ]


def rows_of_tokens(
    cursor: CursorWrapper,
    statements: Statements,
    name: str,
    tokens: Sequence[int],
    parameters: Mapping[str, Any],
) -> list[tuple[Any, ...]]:
    """Return the rows of the statement, which has the parameter `tokens`."""
    if not db.is_distributed():
        return _rows(cursor, statements[name], {**parameters, "tokens": list(tokens)})
    return [
        row
        for token in tokens
        for row in _rows(
            cursor,
            statements[name + OF_TOKEN],
            {**parameters, "tokens": [token], "token": token},
        )
    ]


def _rows(
    cursor: CursorWrapper, statement: LiteralString, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    cursor.execute(statement, parameters)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
