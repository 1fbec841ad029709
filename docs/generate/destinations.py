"""The destinations page, from the registry. A vendor folder's NOTES.md becomes part of it."""

from __future__ import annotations

import re

from django import forms

from docs.generate.markdown import code, codes, joined, table
from tracking.destinations.contract import registry
from tracking.destinations.contract.config_form import SecretField
from tracking.destinations.contract.destination import Destination

INTRODUCTION = """
Each destination, with the fields of its form as `manage.py add_integration --config` takes them,
too. `manage.py destinations --json` prints the same for the destinations that are installed.
The notes of each destination are those beside its form.
[Notes on destinations](destination-notes.md) compares them. A name of a destination in the
`integrations` object of a hit is its slug, its label or one of its further names, in any case.
"""


def write() -> str:
    found = sorted(registry.all_destinations(), key=lambda each: each.label.casefold())
    return joined("# Destinations", INTRODUCTION, *(describe(each) for each in found))


def describe(destination: type[Destination]) -> str:
    facts = [
        ("slug", code(destination.slug)),
        ("further names", codes(destination.aliases)),
        ("types of event", codes(sorted(destination.takes))),
        ("events per request", f"{destination.max_batch:,}"),
        ("bytes per request", f"{destination.max_bytes:,}" if destination.speaks_http else ""),
        ("a duplicate is recognised by", code(destination.idempotency) or "nothing"),
        ("speaks", "HTTP" if destination.speaks_http else "a protocol of its own"),
        ("hosts", codes(sorted(set(destination.hosts.values())))),
        ("the vendor's page", f"<{destination.docs_url}>"),
    ]
    return joined(
        f"## {destination.label}",
        str(destination.summary),
        table(("", ""), [fact for fact in facts if fact[1]]),
        table(("field", "", ""), map(row, destination.Config.base_fields.items())),
        notes_of(destination),
    )


def row(item: tuple[str, forms.Field]) -> tuple[str, str, str]:
    name, field = item
    marks = [
        mark
        for mark, holds in (
            ("required", field.required),
            ("secret", isinstance(field, SecretField)),
        )
        if holds
    ]
    values = codes(value for value, _ in getattr(field, "choices", ()) if value)
    default = "" if field.initial in (None, "", False) else code(field.initial)
    texts = (
        plain(str(field.help_text)),
        f"One of {values}." if values else "",
        f"Default: {default}." if default else "",
    )
    return code(name), ", ".join(marks), " ".join(filter(None, texts))


def plain(text: str) -> str:
    """Return help text for a page: braces and angle brackets are no markup there."""
    return re.sub(r"<(\w[^>]*)>", r"`<\1>`", text)


def notes_of(destination: type[Destination]) -> str:
    """Return NOTES.md of the vendor's folder, with its headings one level deeper."""
    text = re.sub(r"\A# .*\n", "", destination.notes())
    return re.sub(r"^#", "##", text, flags=re.MULTILINE)
