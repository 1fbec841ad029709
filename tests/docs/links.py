"""`python -m tests.docs.links`: print every broken link of the documentation.

Without Django, servers or a network, so that it runs before each commit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from docs.generate.pages import DOCS, GENERATED, ROOT
from tests.docs.markdown import Link, anchors, links, pages

MADE = {(DOCS / name).resolve() for name in GENERATED}


def broken(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for link in links(path):
            if link.is_relative and (fault := fault_of(path, link)):
                yield f"{path.relative_to(ROOT)}:{link.line}: {link.target}: {fault}"


def fault_of(path: Path, link: Link) -> str:
    """Return what is wrong with a relative link; an empty text if nothing is."""
    name, _, anchor = link.target.partition("#")
    target = (path.parent / name).resolve() if name else path
    if target in MADE:
        return ""
    if not target.exists():
        return "no such file"
    if ROOT not in target.parents:
        return "outside of the repository"
    if anchor and anchor not in anchors(target):
        return "no heading has this anchor, on a forge and on the site alike"
    return ""


if __name__ == "__main__":
    found = list(broken(pages()))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.exit(bool(found))
