"""Find private vocabulary in what people read: `python -m tests.architecture.vocabulary`.

Read are the docstrings, comments and texts of the package and the deployment, the templates, the
scripts, the SQL and all Markdown. Code is not read.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = (".py", ".html", ".js", ".sql", ".md", ".txt")
ROOMS = ("tracking/", "project/", "templates/", "docs/", "benchmarks/README.md")
VENDORED = ("/vendor/", "/migrations/")

BANNED = re.compile(
    r"\b(in vain|whoever|anew|mend(?:s|ed|ing)?|of late"
    r"|(?:is|are|was|were) (?:told|said|owed|asked))\b",
    re.IGNORECASE,
)
#: Words that are plain English but vague: at most RARE of each.
VAGUE = re.compile(r"\b(told|said|asked|found|meant)\b", re.IGNORECASE)
RARE = 20


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [
        ROOT / name
        for name in listed
        if name.endswith(SUFFIXES)
        and (name.startswith(ROOMS) or ("/" not in name and name.endswith(".md")))
        and not any(part in name for part in VENDORED)
        and (ROOT / name).exists()
    ]


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers and texts: of Python the comments and string literals, else every line."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                yield node.lineno + offset, line


def banned() -> list[str]:
    """Return every place that uses a banned word, as path:line: word."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for path in files()
        for line, text in prose_of(path)
        for match in BANNED.finditer(text)
    ]


def vague() -> Counter[str]:
    """Return how often each vague word is used."""
    return Counter(
        match[0].lower()
        for path in files()
        for _, text in prose_of(path)
        for match in VAGUE.finditer(text)
    )


def main() -> int:
    places, counts = banned(), vague()
    sys.stdout.write("".join(f"{place}\n" for place in places))
    sys.stdout.write("".join(f"{word}: {count}\n" for word, count in counts.most_common()))
    return min(1, len(places) + sum(count > RARE for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
