"""The two languages of operators: CEL says whether, JMESPath says what.

Neither can hang a worker. CEL's macros, which loop, are refused. A JMESPath may use few functions
and make one new object: what it makes is then no more than some times as large as the event, and
takes time in proportion.

Source: the Common Expression Language's "Language Definition", section "Macros"; the JMESPath
specification's "Grammar" and "Built-in Functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cel
import jmespath
from jmespath.exceptions import JMESPathError

from tracking.destinations.mapping.document import Document

MAX_LENGTH = 500
MAX_FUNCTIONS = 3
MAX_NODES = 60
MACROS = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter|transformList)\s*\(")
MAKERS = frozenset({"multi_select_list", "multi_select_dict"})


class ExpressionError(ValueError):
    """Why the expression cannot be used, for whoever wrote it."""


@lru_cache(maxsize=1000)
def condition(text: str) -> Condition:
    """Raises ExpressionError."""
    return Condition(text)


@lru_cache(maxsize=1000)
def path(text: str) -> Path:
    """Raises ExpressionError."""
    return Path(text)


class Condition:
    """A CEL expression that is true or false of a document."""

    def __init__(self, text: str) -> None:
        check_length(text)
        if macro := MACROS.search(text):
            raise ExpressionError(f"{macro[1]}() looks through lists, which is not allowed here.")
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ExpressionError(first_line(error)) from None

    def holds(self, document: Document) -> bool:
        """Raises ExpressionError where it is neither, and LookupError where it asks for what the
        document does not have."""
        try:
            found = self._program.execute(document)
        except LookupError:
            raise
        except Exception as error:
            raise ExpressionError(first_line(error)) from None
        if not isinstance(found, bool):
            raise ExpressionError(f"It says {str(found)[:50]!r}, neither true nor false.")
        return found


class Path:
    """A JMESPath expression that takes a value out of a document."""

    def __init__(self, text: str) -> None:
        check_length(text)
        try:
            self._compiled = jmespath.compile(text)
        except (JMESPathError, RecursionError, ValueError) as error:
            raise ExpressionError(first_line(error)) from None
        found = list(nodes(self._compiled.parsed))
        types = [node["type"] for node in found]
        if len(types) > MAX_NODES:
            raise ExpressionError("It is too complicated: take it apart.")
        if types.count("function_expression") > MAX_FUNCTIONS:
            raise ExpressionError(f"It uses more than {MAX_FUNCTIONS} functions.")
        if sum(type in MAKERS for type in types) > 1:
            raise ExpressionError("It makes more than one new list or object.")
        if any(is_growing(node) for node in found):
            raise ExpressionError("The first argument of join() must be a text such as ', '.")

    def find(self, document: Document) -> Any:
        """None for nothing. Raises ExpressionError."""
        try:
            return self._compiled.search(document)
        except Exception as error:
            # Numbers without end and documents too deep end in errors of Python's own.
            raise ExpressionError(first_line(error)) from None


def nodes(parsed: Any) -> Iterator[Any]:
    yield parsed
    for child in parsed["children"]:
        yield from nodes(child)


def is_growing(node: Any) -> bool:
    """A join by a text out of the event, or made by another join, multiplies the two."""
    return (
        node["type"] == "function_expression"
        and node["value"] == "join"
        and bool(node["children"])
        and node["children"][0]["type"] != "literal"
    )


def check_length(text: str) -> None:
    if not text.strip():
        raise ExpressionError("It is empty.")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"It is longer than {MAX_LENGTH} characters.")


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
