"""Finds strings that a person sees and that no translation can replace: in Python by the places
where Django shows a string, in templates by the text outside of tags."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

#: Keyword arguments and attributes of classes whose string is shown.
SHOWN = {
    *("label", "help_text", "description", "verbose_name", "verbose_name_plural"),
    *("title", "explanation", "counted", "button", "search_help_text"),
}
#: Calls that show one of their arguments, by its position.
CALLS = {
    **dict.fromkeys(("ValidationError", "HttpResponseBadRequest", "Moment"), 0),
    **dict.fromkeys(("add_error", "success", "warning", "pill", "ConnectionResult"), 1),
    **dict.fromkeys(("good", "poor", "bad"), 1),
}
#: Names have no translation.
LETTERS = re.compile(r"(?!HTTP\b|API\b|CSV\b|Hitstream\b)\b[A-Za-z]{2}")
#: A sentence or a label of several words, wherever it stands.
SENTENCE = re.compile(r"[A-Z][a-z']* [a-z(].*|[A-Z][a-z]+ .*[.:]$", re.DOTALL)
#: What raises these is a mistake of a developer.
INTERNAL = {
    "TypeError",
    "RuntimeError",
    "DistributionError",
    "info",
    "warning",
    "error",
    "debug",
    "exception",
}
#: What these hold is stored: the error of an attempt, the reason of an outcome, an alert.
STORED = {
    "RetryableError",
    "PermanentError",
    "SetupError",
    "ExpressionRefusedError",
    "ExpressionLimitError",
    "UnknownDestinationError",
    "Skipped",
    "Finding",
}
#: Functions that return the reason of an outcome.
STORING = {"skip"}
#: Of their arguments this one is ours, the others name and quote a vendor's page.
QUOTING = {"Rule": 1}
MARKS = {
    *("_", "gettext", "gettext_lazy", "gettext_noop"),
    *("ngettext", "ngettext_lazy", "pgettext_lazy"),
}


def called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def text_of(node: ast.AST | None) -> str:
    """Return the literal text of a string or an f-string."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def shown(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions inside the node that Django shows to a person."""
    if isinstance(node, ast.Call):
        yield from (each.value for each in node.keywords if each.arg in SHOWN)
        place = CALLS.get(called(node), len(node.args))
        yield from node.args[place : place + 1]
    elif isinstance(node, ast.Assign):
        if {getattr(target, "id", "") for target in node.targets} & SHOWN:
            yield node.value
    elif isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True)
                    if text_of(key) == "title")  # fmt: skip
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
        if isinstance(node.elts[1], ast.Dict) and "fields" in map(text_of, node.elts[1].keys):
            yield node.elts[0]
    elif isinstance(node, ast.ClassDef) and "models.TextChoices" in map(ast.unparse, node.bases):
        yield from (each.value.elts[1] if isinstance(each.value, ast.Tuple) else each.value
                    for each in node.body if isinstance(each, ast.Assign))  # fmt: skip


def sentences(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the sentences under the node that are neither marked nor a docstring nor for a log."""
    for child in ast.iter_child_nodes(node):
        if called(child) in MARKS | INTERNAL | STORED or is_english(child):
            continue
        if called(child) in QUOTING and isinstance(child, ast.Call):
            place = QUOTING[called(child)]
            yield from sentences(ast.Tuple(elts=child.args[place : place + 1]))
            continue
        if SENTENCE.match(text_of(child)):
            yield child
        else:
            yield from sentences(child)


def is_english(node: ast.AST) -> bool:
    """Return whether the node is a docstring, or a function whose sentences are stored."""
    if isinstance(node, ast.FunctionDef):
        return node.name in STORING
    return isinstance(node, ast.Expr) and bool(text_of(node.value))


def unmarked_in_python(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = {node.lineno: text_of(node) for each in ast.walk(tree) for node in shown(each)
             if LETTERS.search(text_of(node))}  # fmt: skip
    found |= {node.lineno: text_of(node) for node in sentences(tree)}  # type: ignore[attr-defined]
    return [f"{path}:{line}: {text}" for line, text in sorted(found.items())]


#: What is no text: comments, marked blocks, classes, tags, variables, code for copying, entities.
NO_TEXT = re.compile(
    r"\{% block bodyclass %\}.*?\{% endblock %\}"
    r"|\{#.*?#\}|\{% comment.*?endcomment %\}|\{% blocktranslate.*?endblocktranslate %\}"
    r"|\{%.*?%\}|\{\{.*?\}\}|<(script|style|code|kbd)\b.*?</\1>|&\w+;",
    re.DOTALL,
)
ATTRIBUTE = re.compile(r"\b(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"")
BUTTON = re.compile(r"<input type=\"submit\" value=\"([^\"]*)\"")
ELEMENT = re.compile(r"<[^>]*>", re.DOTALL)


def unmarked_in_template(path: Path) -> list[str]:
    text = NO_TEXT.sub(lambda match: "\n" * match[0].count("\n"), path.read_text())
    found = []
    for number, line in enumerate(ELEMENT.sub(keep_attributes, text).splitlines(), start=1):
        if LETTERS.search(line):
            found.append(f"{path}:{number}: {' '.join(line.split())}")
    return found


def keep_attributes(element: re.Match[str]) -> str:
    """Return the shown attributes of the element, in as many lines."""
    words = [*ATTRIBUTE.findall(element[0]), *BUTTON.findall(element[0])]
    return " ".join(words) + "\n" * element[0].count("\n")
