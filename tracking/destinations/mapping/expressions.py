"""The operators' two expression languages: CEL for conditions, JMESPath for values.

What is allowed is decided on the syntax tree: the functions that do not loop, a bounded number of
nodes, the variables that a document has, and regular expressions that are small. A JMESPath
expression may use few functions and create one new object: its result is then at most a few times
as large as the event, and its time is proportional to it.

Only the evaluator's own process compiles and evaluates (see `evaluator`): a tree that is allowed
may still be slow.

Source: the Common Expression Language's "Language Definition", sections "Macros" and "Standard
Definitions"; the JMESPath specification's "Grammar" and "Built-in Functions".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from tracking.destinations.mapping.cel_grammar import Node, parse
from tracking.destinations.mapping.document import VARIABLES
from tracking.destinations.mapping.expression_error import ExpressionError, gettext_noop
from tracking.destinations.mapping.pattern_size import MAX_SIZE, VerboseError, pattern_size
from tracking.destinations.mapping.protocol import MAX_LENGTH

# The command line of cel takes 0.15 s and 20 MB to import, and nobody calls it here.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
import cel  # noqa: E402

MAX_FUNCTIONS = 3
MAX_NODES = 60
MAKERS = frozenset({"multi_select_list", "multi_select_dict"})

MACROS = frozenset(
    {"all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap"}
)
#: The functions and methods of a condition. None loops over more than its arguments.
FUNCTIONS = frozenset(
    {
        *("has", "size", "contains", "startsWith", "endsWith", "matches"),
        *("bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"),
        *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"),
        *("getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
    }
)
TYPES = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"})


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
        try:
            for node in parse(text).walk():
                check_node(node)
            self._program = cel.compile(text)
        except ExpressionError:
            raise
        except Exception as error:
            raise ExpressionError(first_line(error)) from None

    def holds(self, document: Any) -> bool:
        """Return whether the condition is true for the document. Raises ExpressionError if the
        result is not a Boolean, and LookupError if the document lacks a field of the condition."""
        try:
            result = self._program.execute(document)
        except LookupError:
            raise
        except Exception as error:
            raise ExpressionError(first_line(error)) from None
        if not isinstance(result, bool):
            raise ExpressionError(
                gettext_noop("The result is %(result)s, neither true nor false."),
                result=repr(str(result)[:50]),
            )
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
            raise ExpressionError(gettext_noop("The expression is too complex: split it."))
        if types.count("function_expression") > MAX_FUNCTIONS:
            raise ExpressionError(
                gettext_noop("The expression uses more than %(most)s functions."),
                most=MAX_FUNCTIONS,
            )
        if sum(type in MAKERS for type in types) > 1:
            raise ExpressionError(
                gettext_noop("The expression creates more than one new list or object.")
            )
        if any(is_growing(node) for node in parts):
            raise ExpressionError(
                gettext_noop("The first argument of join() must be a literal such as ', '.")
            )

    def find(self, document: Any) -> Any:
        """Return the value; None if there is none. Raises ExpressionError."""
        try:
            return self._compiled.search(document)
        except Exception as error:
            # Infinite numbers and documents that are too deep raise Python's own exceptions.
            raise ExpressionError(first_line(error)) from None


def check_node(node: Node) -> None:
    """Raise ExpressionError unless a condition may contain the node."""
    if node.kind == "call":
        check_call(node)
    elif node.kind == "name" and node.value not in VARIABLES | TYPES:
        raise ExpressionError(
            gettext_noop("Undefined variable %(name)s: use %(names)s."),
            name=repr(node.value),
            names=", ".join(sorted(VARIABLES)),
        )


def check_call(node: Node) -> None:
    if node.value in MACROS:
        raise ExpressionError(
            gettext_noop("%(name)s() iterates over lists, which is not allowed here."),
            name=node.value,
        )
    if node.value not in FUNCTIONS:
        raise ExpressionError(
            gettext_noop("Undefined function %(name)s(): use %(names)s."),
            name=node.value,
            names=", ".join(sorted(FUNCTIONS)),
        )
    if node.value != "matches":
        return
    pattern = node.children[-1] if node.children else node
    if pattern.kind != "string":
        raise ExpressionError(
            gettext_noop("The pattern of matches() must be a literal such as '^/shop'.")
        )
    try:
        size = pattern_size(pattern.value)
    except VerboseError:
        raise ExpressionError(
            gettext_noop("The pattern of matches() cannot have the flag x.")
        ) from None
    if size > MAX_SIZE:
        raise ExpressionError(
            gettext_noop("The pattern of matches() repeats too much: use smaller numbers.")
        )


def nodes(parsed: Any) -> Iterator[Any]:
    """Yield the node of a JMESPath tree and all below it. A slice has numbers as children."""
    yield parsed
    for child in parsed["children"]:
        if isinstance(child, dict):
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
        raise ExpressionError(gettext_noop("The expression is empty."))
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            gettext_noop("The expression is longer than %(most)s characters."), most=MAX_LENGTH
        )


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
