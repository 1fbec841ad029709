"""Lint the SQL of the package with sqlfluff: `python -m tests.architecture.sql_lint`.

Each statement is linted as it is run: its fragments filled in, a number for every parameter. What
sqlfluff cannot parse is no violation: a test prepares every statement in Postgres.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlfluff

from tracking.sql import load

PACKAGE = Path(__file__).resolve().parents[2] / "tracking"
PARAMETER = re.compile(r"%\([a-z_]+\)s")
RULES = [
    "aliasing.table",  # AS before every table's alias,
    "aliasing.column",  # and before every column's,
    "aliasing.unique.table",  # which is unique
    "aliasing.unused",  # and used.
    "ambiguous.distinct",  # DISTINCT or GROUP BY.
    "ambiguous.union",  # UNION ALL or UNION DISTINCT.
    "capitalisation.keywords",  # Upper case.
    "convention.is_null",
    "convention.count_rows",
    "convention.coalesce",
    "structure.else_null",
    "structure.distinct",
    "layout.spacing",
    "layout.commas",
]
#: What sqlfluff reports wrongly, by statement and rule.
EXCEPTIONS = {
    ("settle", "aliasing.unused"),  # The alias names the columns of a record.
    ("store", "layout.spacing"),  # EXISTS (SELECT …)
    ("claim", "layout.spacing"),
    ("claim", "capitalisation.keywords"),  # `before` is a name.
    ("latency", "capitalisation.keywords"),  # `id` is a name.
}


def statements() -> Iterator[tuple[str, str]]:
    """Yield a title and the text of every statement of the package, and of the migrations' SQL."""
    for path in sorted(PACKAGE.rglob("*.sql")):
        title = str(path.relative_to(PACKAGE.parent))
        if "migrations" in path.parts:
            yield title, path.read_text()
        else:
            for name, text in load(str(path.with_suffix(".py"))).items():
                yield f"{title}: {name}", f"{PARAMETER.sub('1', text)};\n"


def violations() -> list[str]:
    """Return every breach of a rule, a line each."""
    return [
        f"{title}: line {each['start_line_no']}: {each['description']} [{each['name']}]"
        for title, text in statements()
        for each in sqlfluff.lint(text, dialect="postgres", rules=RULES)
        if each["code"] != "PRS" and (title.partition(": ")[2], each["name"]) not in EXCEPTIONS
    ]


def main() -> int:
    found = violations()
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"{len(found)} violations.\n")
    return min(1, len(found))


if __name__ == "__main__":
    sys.exit(main())
