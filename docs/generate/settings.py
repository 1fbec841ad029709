"""The settings page, from the source of `tracking/conf.py` and of the deployment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from docs.generate.environment import VARIABLES
from docs.generate.markdown import code, joined, table
from docs.generate.pages import ROOT

CONF = ROOT / "tracking" / "conf.py"
DEPLOYMENT = (ROOT / "project", ROOT / "tracking" / "server")
#: Functions of `tracking/server/environment.py` that read a variable.
READERS = {"flag", "number", "listed", "text", "secret", "needed"}
#: Set by code for Django, not by an operator.
INTERNAL = {"DATABASE_URL_FILE", "DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_PASSWORD"}


@dataclass(frozen=True)
class Setting:
    section: str
    name: str
    type: str
    default: str
    text: str


def write() -> str:
    known = dict(read_variables())
    variables = [
        joined(
            f"### {group}",
            table(
                ("variable", "default", ""),
                ((code(name), known.get(name, ""), text) for name, text in each.items()),
            ),
        )
        for group, each in VARIABLES.items()
    ]
    settings = list(read_settings())
    sections = dict.fromkeys(setting.section for setting in settings)
    keys = [
        joined(
            f"### {section}",
            table(
                ("key", "type", "default", ""),
                (
                    (code(each.name), code(each.type), code(each.default), each.text)
                    for each in settings
                    if each.section == section
                ),
            ),
        )
        for section in sections
    ]
    return joined(
        "# Settings",
        "## Environment variables",
        "Read by the command `hitstream` and by `make run`. The variables `DATABASE_URL`, "
        "`BROKER_URL`, `CACHE_URL`, `DJANGO_SECRET_KEY`, `HITSTREAM_SECRET_KEYS`, "
        "`HITSTREAM_METRICS_TOKEN`, `HITSTREAM_OUTBOUND_PROXY`, `EMAIL_HOST_PASSWORD`, "
        "`DATABASE_REPLICA_URL`, `SENTRY_DSN` and `OTEL_EXPORTER_OTLP_HEADERS` may be in a file: "
        "`DATABASE_URL_FILE=/run/secrets/url` and so on. A flag is on with `1`, `true`, "
        "`yes` or `on`.",
        *variables,
        "## Keys of `HITSTREAM`",
        "A project sets them as `HITSTREAM = {…}` in its Django settings. Durations are seconds, "
        "sizes bytes. Each is read where it is used, so that an override works at once. "
        "`manage.py check` names a key that does not exist or has a wrong value.",
        *keys,
    )


def read_settings() -> Iterator[Setting]:
    """Yield the attributes of `Conf` with the comments above them."""
    lines = CONF.read_text(encoding="utf-8").splitlines()
    tree = ast.parse("\n".join(lines))
    conf = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    for node in conf.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert node.value is not None
            yield Setting(
                section=section_of(lines, node.lineno),
                name=node.target.id,
                type=ast.unparse(node.annotation),
                default=ast.unparse(node.value),
                text=comment_of(lines, node.lineno),
            )


def comment_of(lines: list[str], number: int) -> str:
    """Return the `#:` lines directly above the line of this number."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("#:"):
            break
        found.append(line.strip().removeprefix("#:").strip())
    return " ".join(reversed(found))


def section_of(lines: list[str], number: int) -> str:
    """Return the nearest plain comment above: `# Delivery`."""
    for line in reversed(lines[: number - 1]):
        if heading := re.fullmatch(r" {4}# (\w[\w ]*)", line):
            return heading[1]
    return "General"


def read_variables() -> Iterator[tuple[str, str]]:
    """Yield the name and the default, as Markdown, of each variable that the deployment reads."""
    for path in sorted(path for folder in DEPLOYMENT for path in folder.rglob("*.py")):
        yield from read_file(ast.parse(path.read_text(encoding="utf-8")))


def read_file(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield from `environ.get(NAME, default)` and `environ.get(NAME) or default`."""
    fallbacks: dict[ast.expr, ast.expr] = {
        node.values[0]: node.values[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and is_reader(node.func):
            name, *default = node.args
            if isinstance(name, ast.Constant) and str(name.value) not in INTERNAL:
                yield str(name.value), default_of(*default, *filter(None, [fallbacks.get(node)]))


def is_reader(function: ast.expr) -> bool:
    text = ast.unparse(function)
    return text in READERS or text.endswith(("environ.get", "environment.get"))


def default_of(*candidates: ast.expr) -> str:
    """Return the first candidate if it is a plain value, as Markdown."""
    if candidates and isinstance(candidates[0], ast.Constant):
        return code(candidates[0].value)
    return ""


def names_in_code() -> set[str]:
    return {name for name, _ in read_variables()}
