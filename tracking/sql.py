"""SQL statements in files: each `.sql` file stands beside the module that runs it.

    -- name: claim
    -- Take the next due deliveries of an integration under a lease.
    UPDATE hitstream_queue ... WHERE {due} AND integration_id = %(integration)s

A statement begins with its name line and a description, and ends before the next name line.
Parameters are named, as psycopg writes them: %(integration)s. What several statements of a file
share is a `-- fragment:` of that file, and stands as {due} where it is used.

Where the tables of hits are distributed by token over several servers, a statement that asks for
more than they can do together is run once for each token. It has {of_token}, or {queued.of_token}
for the column of that table, among its conditions: `true` in the statement, and in the one whose
name has OF_TOKEN added the condition on %(token)s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import LiteralString

HEAD = re.compile(r"^-- (name|fragment): (\w+)\n((?:--.*\n)+)", re.MULTILINE)
FRAGMENT = re.compile(r"\{(?!of_token\})([a-z_]+)\}")
TOKEN = re.compile(r"\{(\w+\.)?of_token\}")
#: Added to a statement's name: the one for a single token.
OF_TOKEN = " of a token"  # noqa: S105 (no secret)


class SqlFileError(Exception):
    """The SQL file breaks the format that `tracking.sql` describes."""


@cache
def load(module: str) -> Mapping[str, LiteralString]:
    """Return the statements of the SQL file beside the module (`__file__`), by their names.

    The files belong to the package, so their text is as trusted as a literal. Raises SqlFileError.
    """
    path = Path(module).with_suffix(".sql")
    parts = HEAD.split(path.read_text())
    if parts[0].strip():
        raise SqlFileError(f"{path.name}: text stands before the first `-- name:` line.")
    statements: dict[str, str] = {}
    fragments: dict[str, str] = {}
    for kind, name, _, text in zip(*(iter(parts[1:]),) * 4, strict=True):
        if name in statements or name in fragments:
            raise SqlFileError(f"{path.name}: the name {name!r} occurs twice.")
        (statements if kind == "name" else fragments)[name] = text.strip().removesuffix(";")
    used = {each for text in statements.values() for each in FRAGMENT.findall(text)}
    if unknown := used - {*fragments}:
        raise SqlFileError(f"{path.name}: unknown fragments {', '.join(sorted(unknown))}.")
    whole = {name: _fill(text, fragments) for name, text in statements.items()}
    routed = {
        name + OF_TOKEN: TOKEN.sub(r"\1token_id = %(token)s", text)
        for name, text in whole.items()
        if TOKEN.search(text)
    }
    return {name: TOKEN.sub("true", text) for name, text in whole.items()} | routed


def _fill(text: str, fragments: Mapping[str, str]) -> str:
    """Replace each {name} by its fragment; fragments may use fragments."""
    while FRAGMENT.search(text):
        text = FRAGMENT.sub(lambda match: fragments[match[1]], text)
    return text
