"""Count the class names that more than one module defines:

`python -m tests.architecture.class_names` prints them.

Django's own inner names (Meta, Command, Migration) do not count.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tracking", "project")
ALLOWED = {"Meta", "Media", "Command", "Migration"}


def repeated_class_names() -> dict[str, list[str]]:
    """Return the files by each class name that more than one of them defines."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.name not in ALLOWED:
                    found[node.name].append(str(path.relative_to(ROOT)))
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def main() -> int:
    repeated = repeated_class_names()
    for name, paths in sorted(repeated.items()):
        sys.stdout.write(f"{name}: {', '.join(paths)}\n")
    sys.stdout.write(f"{len(repeated)} class names are defined in more than one module.\n")
    return min(len(repeated), 1)


if __name__ == "__main__":
    sys.exit(main())
