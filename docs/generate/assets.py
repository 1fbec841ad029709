"""Fonts and Mermaid from the packages of `docs/package.json`, so that the site loads nothing from
another host. Each stands beside its license."""

from __future__ import annotations

import shutil
from pathlib import Path

from docs.generate.pages import DOCS

MODULES = DOCS / "node_modules"
#: Package, files of it, and the folder of the site.
COPIED = (
    ("@fontsource-variable/inter", ("files/inter-latin-wght-normal.woff2",), "assets/fonts/inter"),
    (
        "@fontsource-variable/inter",
        ("files/inter-latin-ext-wght-normal.woff2",),
        "assets/fonts/inter",
    ),
    (
        "@fontsource-variable/jetbrains-mono",
        ("files/jetbrains-mono-latin-wght-normal.woff2",),
        "assets/fonts/jetbrains-mono",
    ),
    ("mermaid", ("dist/mermaid.min.js",), "assets/mermaid"),
)


def copy_assets(source: Path) -> None:
    for package, files, folder in COPIED:
        target = source / folder
        target.mkdir(parents=True, exist_ok=True)
        for name in (*files, "LICENSE"):
            origin = MODULES / package / name
            shutil.copyfile(origin, target / origin.name)
