"""The size of a regular expression: how many steps its automaton has, before it is compiled.

Compiling takes time and memory in proportion to it, and the library compiles at every call. A part
counts as often as its largest number says, numbers inside numbers multiply, and a class of Unicode
such as `\\w` or `\\pL` is hundreds of ranges. The flag x, which allows spaces and comments between
a part and its number, is refused.

Source: the documentation of the Rust crate regex, section "Syntax".
"""

from __future__ import annotations

import re

#: About 10 ms.
MAX_SIZE = 600
#: The steps of a class that has ranges in every script, and of one that has most characters.
UNICODE_SIZE = 25
WIDE_SIZE = 5

PART = re.compile(
    r"""(?P<unicode>\\[wW]|\\[pP](?:\{[^}]*\}|.))|(?P<wide>\\[dDsS]|\.)|(?P<escaped>\\.)
    |\{\s*(?P<least>[0-9]+)?\s*,?\s*(?P<most>[0-9]+)?\s*\}
    |(?P<open>\()|(?P<close>\))|(?P<class>\[\^?)|(?P<sign>[*+?|])|.""",
    re.VERBOSE | re.DOTALL,
)
#: What follows the parenthesis of a group that switches the flag x on.
VERBOSE = re.compile(r"\?[A-Za-z]*x")
IN_CLASS = re.compile(r"(?P<unicode>\\[wWpP])|\\.|(?P<open>\[)|(?P<close>\])|.", re.DOTALL)


class VerboseError(ValueError):
    """The pattern has the flag x."""


def pattern_size(pattern: str) -> int:
    """Return about how many steps the automaton of the pattern has. Raises VerboseError."""
    #: The sizes of the groups that are open; the size of the last part, which a number may repeat.
    totals, last, place = [0], 0, 0
    while found := PART.match(pattern, place):
        place = found.end()
        if found["least"] or found["most"]:
            last *= max(1, int(found["most"] or found["least"]))
        elif found["close"] and len(totals) > 1:
            last += totals.pop()
        elif not found["sign"] or found["sign"] == "|":
            totals[-1] += last
            last = 1
            if found["open"]:
                totals.append(begin_group(pattern, place))
            elif found["class"]:
                last, place = class_size(pattern, place, found["class"])
            elif found["unicode"] or found["wide"]:
                last = UNICODE_SIZE if found["unicode"] else WIDE_SIZE
    return sum(totals) + last


def begin_group(pattern: str, place: int) -> int:
    """Return the size of the group whose content begins at `place`, so far. Raises VerboseError."""
    if VERBOSE.match(pattern, place):
        raise VerboseError
    return 0


def class_size(pattern: str, place: int, opening: str) -> tuple[int, int]:
    """Return the size of the class in brackets whose content begins at `place`, and the place
    behind it."""
    size, depth = WIDE_SIZE if opening == "[^" else 1, 1
    # A bracket that comes first belongs to the class.
    place += pattern.startswith("]", place)
    while depth and (found := IN_CLASS.match(pattern, place)):
        place = found.end()
        depth += bool(found["open"]) - bool(found["close"])
        size = UNICODE_SIZE if found["unicode"] else size
    return size, place
