"""The grammar of CEL: the text of an expression in, its syntax tree out.

The library that evaluates CEL shows no tree, so conditions are parsed here as well: what is allowed
is decided on the tree, whatever the text looks like. What this grammar lacks (messages, optional
fields, names in backticks) is refused.

Source: the Common Expression Language's "Language Definition", sections "Syntax" and "String and
Bytes Values".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tracking.destinations.mapping.expression_error import ExpressionError, gettext_noop

#: Levels that an expression may be nested. Each takes a few frames of Python's stack.
MAX_DEPTH = 50

TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r]+|//[^\n]*)
    |(?P<string>(?P<prefix>[bB][rR]?|[rR][bB]?)?(?P<quote>\"{3}|'{3}|\"|'))
    |(?P<number>0x[0-9a-fA-F]+u?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+
        |[0-9]+[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>\|\||&&|==|!=|<=|>=|[-<>+*/%!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.ASCII,
)
ESCAPE = re.compile(r"\\([xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
#: Binary operators, the loosest level first.
LEVELS = (
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"<", "<=", ">", ">=", "==", "!=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
RESERVED = frozenset({"in"})
END = ("end", "")


class SyntaxFault(ExpressionError):
    """The text is not an expression of this grammar."""

    @classmethod
    def at(cls, place: str) -> SyntaxFault:
        """Return the error for text that cannot stand there."""
        return cls(gettext_noop("Syntax error at %(place)s."), place=repr(place))


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree. `kind` is one of: literal (`value` is a number's text), string (its
    content), name, field, call (`value` is the function's name; a method's first child is its
    object), index, list, map, operator."""

    kind: str
    value: str = ""
    children: tuple[Node, ...] = field(default=())

    def walk(self) -> Iterator[Node]:
        """Yield the node and all nodes below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children


def parse(text: str) -> Node:
    """Return the tree of the expression. Raises SyntaxFault."""
    return Parser(list(tokens(text))).parse()


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each token, without white space and comments; for a string its
    content. Raises SyntaxFault."""
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            raise SyntaxFault.at(text[place : place + 10])
        place = found.end()
        if found["quote"]:
            content, place = read_string(text, place, found["quote"], found["prefix"] or "")
            yield "string", content
        elif not found["space"]:
            yield str(found.lastgroup), found[0]
    yield END


def read_string(text: str, start: int, quote: str, prefix: str) -> tuple[str, int]:
    """Return the content of the string that begins at `start`, after its quote, and the place
    behind it."""
    is_raw = "r" in prefix.lower()
    any_character = r"." if is_raw else r"\\.|[^\\]"
    lines = re.DOTALL if len(quote) == 3 else 0
    body = re.compile(rf"((?:(?!{quote})(?:{any_character}))*){quote}", lines)
    found = body.match(text, start)
    if found is None or (not lines and "\n" in found[1]):
        raise SyntaxFault(gettext_noop("A string has no end."))
    return found[1] if is_raw else ESCAPE.sub(unescape, found[1]), found.end()


def unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xXuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number <= 0x10FFFF else ""
    if len(code) == 3:
        return chr(int(code, 8))
    return LETTERS.get(code, code)


class Parser:
    """A recursive descent over the tokens of one expression."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self._tokens, self._place, self._depth = found, 0, 0

    def parse(self) -> Node:
        tree = self._expression()
        if self._next != END:
            raise SyntaxFault.at(self._next[1])
        return tree

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place]

    def _take(self) -> tuple[str, str]:
        token = self._next
        if token == END:
            raise SyntaxFault(gettext_noop("The expression is not complete."))
        self._place += 1
        return token

    def _is(self, *operators: str) -> bool:
        kind, text = self._next
        return kind == "operator" and text in operators

    def _skip(self, operator: str) -> bool:
        """Take the operator if it is next."""
        if not self._is(operator):
            return False
        self._place += 1
        return True

    def _need(self, operator: str) -> None:
        if not self._skip(operator):
            raise SyntaxFault(
                gettext_noop("Syntax error at %(place)s: %(operator)s is missing."),
                place=repr(self._next[1]),
                operator=operator,
            )

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SyntaxFault(
                gettext_noop("The expression is nested more than %(most)s levels deep."),
                most=MAX_DEPTH,
            )
        condition = self._binary(0)
        if self._skip("?"):
            yes = self._binary(0)
            self._need(":")
            condition = Node("operator", "?:", (condition, yes, self._expression()))
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self._unary()
        operands, operators = [self._binary(level + 1)], []
        while self._next[0] in ("operator", "name") and self._next[1] in LEVELS[level]:
            operators.append(self._take()[1])
            operands.append(self._binary(level + 1))
        if not operators:
            return operands[0]
        return Node("operator", " ".join(operators), tuple(operands))

    def _unary(self) -> Node:
        signs = 0
        while self._is("!", "-"):
            self._take()
            signs += 1
        if signs > MAX_DEPTH:
            raise SyntaxFault(
                gettext_noop("More than %(most)s signs follow each other."), most=MAX_DEPTH
            )
        inner = self._member()
        return Node("operator", "!", (inner,)) if signs else inner

    def _member(self) -> Node:
        node = self._primary()
        while self._is(".", "["):
            if self._skip("["):
                node = Node("index", children=(node, self._expression()))
                self._need("]")
                continue
            self._take()
            kind, name = self._take()
            if kind != "name":
                raise SyntaxFault(
                    gettext_noop("Syntax error at %(place)s: a name is missing."), place=repr(name)
                )
            if self._skip("("):
                node = Node("call", name, (node, *self._items(")")))
            else:
                node = Node("field", name, (node,))
        return node

    def _primary(self) -> Node:
        if self._skip("("):
            inner = self._expression()
            self._need(")")
            return inner
        if self._skip("["):
            return Node("list", children=tuple(self._items("]")))
        if self._skip("{"):
            return Node("map", children=tuple(self._items("}", has_keys=True)))
        self._skip(".")
        kind, text = self._take()
        if kind == "name":
            is_call = self._skip("(")
            return Node("call", text, tuple(self._items(")"))) if is_call else name_or_literal(text)
        if kind in ("string", "number"):
            return Node("string" if kind == "string" else "literal", text)
        raise SyntaxFault.at(text)

    def _items(self, end: str, *, has_keys: bool = False) -> Iterator[Node]:
        """Yield the expressions up to `end`, which a comma may precede."""
        while not self._skip(end):
            yield self._expression()
            if has_keys:
                self._need(":")
                yield self._expression()
            if not self._skip(","):
                self._need(end)
                return


def name_or_literal(text: str) -> Node:
    if text in RESERVED:
        raise SyntaxFault.at(text)
    return Node("literal" if text in ("true", "false", "null") else "name", text)
