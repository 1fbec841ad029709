"""Hooks of MkDocs: the built site loads nothing from another host.

Material's script loads Mermaid from a public host unless the page did, and a polyfill in browsers
from before 2020. `on_post_build` makes it load the site's copy of the one and nothing for the
other, and then looks at every file for what a browser would load by itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

#: What a browser loads without a click: tags, `url(…)` and `@import` of styles.
LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data|srcset)=["']?
        (?P<tag>(?:https?:)?//[^"'\s>]+)
      | <link\b(?![^>]*\brel=["']?(?:canonical|prev|next|alternate|edit)\b)[^>]*?\bhref=["']?
        (?P<link>(?:https?:)?//[^"'\s>]+)
      | url\(\s*["']?(?P<url>(?:https?:)?//[^"')\s]+)
      | @import\s+["'](?P<imported>(?:https?:)?//[^"']+)""",
    re.VERBOSE | re.IGNORECASE,
)
MERMAID = re.compile(r'"https://unpkg\.com/mermaid@[^"]*"')
#: The address of the site's own copy: the page's configuration names the root of the site.
OWN_MERMAID = (
    '(new URL(JSON.parse(document.getElementById("__config").textContent).base'
    '+"/assets/mermaid/mermaid.min.js",document.baseURI).href)'
)
POLYFILL = re.compile(r'"https://unpkg\.com/resize-observer-polyfill[^"]*"')
NOTHING = '"data:text/javascript,"'
#: What a script of the theme would load, as a string in its code.
IN_SCRIPTS = re.compile(
    r"""["'](https?://(?:unpkg\.com|cdn\.[\w.-]+|fonts\.g[\w.-]+|cdnjs\.[\w.-]+)[^"']*)"""
)


def on_post_build(config: Any, **kwargs: Any) -> None:
    """Raise RuntimeError where the site would load something from another host."""
    site = Path(config["site_dir"])
    bundles = list(site.glob("assets/javascripts/bundle.*.min.js"))
    patched = sum(patch(bundle) for bundle in bundles)
    if patched != 1:
        raise RuntimeError(f"Mermaid's address stands {patched} times in {bundles}, not once.")
    found = sorted(foreign(site))
    if found:
        raise RuntimeError("The site loads from other hosts:\n" + "\n".join(found))


def patch(bundle: Path) -> int:
    """Rewrite the addresses in the script; return how often Mermaid's stood there."""
    text, count = MERMAID.subn(lambda _: OWN_MERMAID, bundle.read_text(encoding="utf-8"))
    bundle.write_text(POLYFILL.sub(NOTHING, text), encoding="utf-8")
    return count


def foreign(site: Path) -> set[str]:
    """Return what the files of the site load from other hosts, each with its file."""
    found = set()
    for path in site.rglob("*"):
        if path.suffix in {".html", ".css", ".svg"}:
            for match in LOADS.finditer(path.read_text(encoding="utf-8")):
                found.add(f"{path.relative_to(site)}: {next(filter(None, match.groups()))}")
        elif path.suffix == ".js" and "mermaid" not in path.parts:
            for match in IN_SCRIPTS.finditer(path.read_text(encoding="utf-8")):
                found.add(f"{path.relative_to(site)}: {match[1]}")
    return found
