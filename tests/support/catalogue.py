"""A language for a test: a compiled catalogue of a few messages."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings
from django.utils import translation

LANGUAGE = "xx"
HEAD = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


def compiled(messages: Mapping[str, str]) -> bytes:
    """Return the catalogue in the format of GNU's .mo files. The forms of a plural are separated by
    NUL, in the message and in its translation."""
    pairs = sorted((key.encode(), text.encode()) for key, text in {"": HEAD, **messages}.items())
    count = len(pairs)
    place = 28 + 16 * count
    tables: list[list[bytes]] = [[], []]
    texts = b""
    for side in (0, 1):
        for pair in pairs:
            tables[side].append(struct.pack("<II", len(pair[side]), place + len(texts)))
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + b"".join(tables[0] + tables[1]) + texts


@contextmanager
def language_of(folder: Path, messages: Mapping[str, str]) -> Iterator[None]:
    """Make the deployment's language one with these translations, and show pages in it."""
    place = folder / LANGUAGE / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "django.mo").write_bytes(compiled(messages))
    settings = override_settings(LANGUAGE_CODE=LANGUAGE, LOCALE_PATHS=[str(folder)])
    with settings, translation.override(LANGUAGE):
        yield
