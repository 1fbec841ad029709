"""The commands page, from the parsers of the app's management commands."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from docs.generate.markdown import cell, code, fence, joined, table

APP = "tracking"
#: Options of every Django command.
COMMON = {action.dest for action in BaseCommand().create_parser("", "")._actions}
WIDTH = 100


def write() -> str:
    names = sorted(name for name, app in get_commands().items() if app == APP)
    return joined(
        "# Commands",
        "`manage.py <command> --help` prints the same. Every command also has the options of "
        "Django, such as `--settings`. INTEGRATION is an id or `TOKEN_NAME/INTEGRATION_NAME`. "
        "Times are ISO-8601, in UTC unless they name a zone. `manage.py check --database default` "
        "also checks that enough partitions lie ahead and that every credential can be read.",
        *(describe(name) for name in names),
    )


def describe(name: str) -> str:
    command = load_command_class(APP, name)
    parser = command.create_parser("manage.py", name)
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
    return joined(
        f"## {name}",
        cell(str(command.help)),
        fence("text", usage(parser)),
        table(("argument", ""), arguments(parser)),
        cell(parser.epilog or ""),
    )


def usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage without the options of every Django command."""
    own = [action for action in parser._actions if action.dest not in COMMON]
    formatter = parser._get_formatter()
    formatter.add_usage(None, own, parser._mutually_exclusive_groups, prefix="")
    return re.sub(r"\n\s+", "\n    ", formatter.format_help().strip())


def arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if action.dest not in COMMON:
            yield code(signature(action)), " ".join(notes(action))


def signature(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    if action.nargs == 0:
        return action.option_strings[-1]
    return f"{action.option_strings[-1]} {action.metavar or action.dest.upper()}"


def notes(action: argparse.Action) -> Iterator[str]:
    if action.help:
        yield action.help
    if action.choices:
        yield f"One of {', '.join(code(choice) for choice in action.choices)}."
    if action.option_strings and action.required:
        yield "Required."
    if action.default not in (None, False, "", []) and action.nargs != 0:
        yield f"Default: {code(action.default)}."
