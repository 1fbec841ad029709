"""Markdown files of the repository: their headings, links and tables, without a renderer."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs.generate.pages import ROOT

#: Folders that hold no page of ours.
FOREIGN = {"node_modules", "var", "build", "dist"}
FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^(#{1,6})\s+(?P<text>.*?)\s*#*$", re.MULTILINE)
LINK = re.compile(
    r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?(?P<target>[^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)"
)
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(?P<target>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Link:
    line: int
    target: str

    @property
    def is_relative(self) -> bool:
        return not re.match(r"[a-z][a-z0-9+.-]*:", self.target)


@cache
def pages() -> list[Path]:
    """Return every Markdown file that belongs to the repository."""
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if is_ours(name)]
        found += [Path(folder, name) for name in names if name.endswith(".md")]
    return sorted(found)


def is_ours(folder: str) -> bool:
    return folder == ".github" or not (folder in FOREIGN or folder.startswith("."))


@cache
def prose(path: Path) -> str:
    """Return the text with its code blanked out, each line where it was."""
    return FENCE.sub(blank, path.read_text(encoding="utf-8"))


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def links(path: Path) -> Iterator[Link]:
    text = CODE.sub(blank, prose(path))
    for pattern in (LINK, REFERENCE):
        for match in pattern.finditer(text):
            yield Link(text.count("\n", 0, match.start()) + 1, match["target"])


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of the headings that a forge and the site name alike."""
    forge: Counter[str] = Counter()
    site: Counter[str] = Counter()
    found = set()
    for match in HEADING.finditer(prose(path)):
        text = plain(match["text"])
        there, here = forge_slug(text), site_slug(text)
        if there == here and not forge[there] and not site[here]:
            found.add(there)
        forge[there] += 1
        site[here] += 1
    return frozenset(found)


def plain(heading: str) -> str:
    """Return the heading as it is shown."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[`*]", "", heading)


def forge_slug(text: str) -> str:
    """Return the anchor as forges make it: a hyphen for each space, no punctuation."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def site_slug(text: str) -> str:
    """Return the anchor as Python-Markdown makes it: ASCII, one hyphen for all in a row."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_text).strip().lower())


def section(path: Path, title: str) -> str:
    """Return the text below the heading, up to the next one of its level."""
    text = path.read_text(encoding="utf-8")
    match = re.search(rf"^(#+) {re.escape(title)}$(.*?)(?=^\1 |\Z)", text, re.M | re.S)
    assert match, f"{path.name} has no section {title!r}"
    return match[2]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the first table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip().strip("|").split("|")]
