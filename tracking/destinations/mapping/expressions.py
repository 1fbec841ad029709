"""The operators' two expression languages: CEL for conditions, JMESPath for values.

Neither can block a worker. CEL's macros, which loop, are refused. A JMESPath expression may use few
functions and create one new object: its result is then at most a few times as large as the event,
and its time is proportional to it.

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
    """The expression cannot be used. The text is the reason, for its author."""


@lru_cache(maxsize=1000)
def condition(text: str) -> Condition:
    """Return the compiled condition. Raises ExpressionError."""
    return Condition(text)


@lru_cache(maxsize=1000)
def path(text: str) -> Path:
    """Return the compiled path. Raises ExpressionError."""
    return Path(text)


class Condition:
    """A CEL expression that is true or false for a document."""

    def __init__(self, text: str) -> None:
        check_length(text)
        if macro := MACROS.search(text):
            raise ExpressionError(f"{macro[1]}() iterates over lists, which is not allowed here.")
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ExpressionError(first_line(error)) from None

    def holds(self, document: Document) -> bool:
        """Return whether the condition is true for the document. Raises ExpressionError if the
        result is not a Boolean, and LookupError if the document lacks a field of the condition."""
        try:
            result = self._program.execute(document)
        except LookupError:
            raise
        except Exception as error:
            raise ExpressionError(first_line(error)) from None
        if not isinstance(result, bool):
            raise ExpressionError(f"The result is {str(result)[:50]!r}, neither true nor false.")
        return result


class Path:
    """A JMESPath expression that reads a value from a document."""

    def __init__(self, text: str) -> None:
        check_length(text)
        try:
            self._compiled = jmespath.compile(text)
        except (JMESPathError, RecursionError, ValueError) as error:
            raise ExpressionError(first_line(error)) from None
        parts = list(nodes(self._compiled.parsed))
        types = [node["type"] for node in parts]
        if len(types) > MAX_NODES:
            raise ExpressionError("The expression is too complex: split it.")
        if types.count("function_expression") > MAX_FUNCTIONS:
            raise ExpressionError(f"The expression uses more than {MAX_FUNCTIONS} functions.")
        if sum(type in MAKERS for type in types) > 1:
            raise ExpressionError("The expression creates more than one new list or object.")
        if any(is_growing(node) for node in parts):
            raise ExpressionError("The first argument of join() must be a literal such as ', '.")

    def find(self, document: Document) -> Any:
        """Return the value; None if there is none. Raises ExpressionError."""
        try:
            return self._compiled.search(document)
        except Exception as error:
            # Infinite numbers and documents that are too deep raise Python's own exceptions.
            raise ExpressionError(first_line(error)) from None


def nodes(parsed: Any) -> Iterator[Any]:
    yield parsed
    for child in parsed["children"]:
        yield from nodes(child)


def is_growing(node: Any) -> bool:
    """Return whether the node is a join() whose separator is not a literal. A separator from the
    event, or from another join(), multiplies the lengths of the two."""
    return (
        node["type"] == "function_expression"
        and node["value"] == "join"
        and bool(node["children"])
        and node["children"][0]["type"] != "literal"
    )


def check_length(text: str) -> None:
    if not text.strip():
        raise ExpressionError("The expression is empty.")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.")


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
