"""Copy the hand-written pages into the source tree of the site, with their links.

A page links to files as they lie in the repository, so that the links work there, too. In the site
the pages of the root stand under `project/`, and source files are not there at all: a link to one
becomes plain text.
"""

from __future__ import annotations

import os.path
import re
import shutil
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

#: Pages that stand outside `docs/`, and where the site has them.
ROOT_PAGES = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "benchmarks/RESULTS.md": "project/results.md",
}
#: Pages that are made from the code: in the site, not in the repository.
GENERATED = (
    "reference/http-api.md",
    "reference/settings.md",
    "reference/commands.md",
    "reference/destinations.md",
    "reference/metrics.md",
    "reference/tasks.md",
    "reference/what-vendors-receive.md",
)
#: What lies in `docs/` and is no page.
TOOLS = (
    *("__init__.py", "__pycache__", "build", "generate", "hooks.py", "node_modules"),
    "package.json",
)
LINK = re.compile(r"(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")


def copy_pages(source: Path) -> None:
    """Write every hand-written page and image to `source`."""
    shutil.copytree(DOCS, source, ignore=ignore)
    for name, place in ROOT_PAGES.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / place)
    for repository, site in places().items():
        page = source / site
        page.write_text(relink(page.read_text(encoding="utf-8"), repository), encoding="utf-8")


def ignore(directory: str, names: list[str]) -> set[str]:
    return set(TOOLS) & set(names) if Path(directory) == DOCS else set()


def places() -> dict[str, str]:
    """Return where the site has each hand-written page, by its path in the repository."""
    found = {}
    for page in sorted(DOCS.rglob("*.md")):
        name = page.relative_to(DOCS).as_posix()
        if name.partition("/")[0] not in TOOLS:
            found[f"docs/{name}"] = name
    return found | ROOT_PAGES


def relink(text: str, page: str) -> str:
    """Return the text of the page with the links that the site needs. Code keeps its own."""
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if part.startswith("`") else LINK.sub(lambda link: one(link, page), part)
        for part in parts
    )


def one(link: re.Match[str], page: str) -> str:
    target, anchor = link["target"], link["anchor"] or ""
    if not target or re.match(r"[a-z]+:", target):
        return link[0]
    absolute = os.path.normpath(PurePosixPath(page).parent / target)
    known = {**places(), **{f"docs/{name}": name for name in GENERATED}}
    here = places()[page]
    if absolute in known:
        there = known[absolute]
    elif absolute.startswith("docs/"):
        there = absolute.removeprefix("docs/")
    else:
        return link["text"]
    relative = os.path.relpath(there, PurePosixPath(here).parent)
    return f"{link['mark']}[{link['text']}]({relative}{anchor})"
