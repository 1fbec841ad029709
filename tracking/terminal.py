"""Texts of others on a terminal and in a log: a vendor's answer, a sender's event.

Source: ECMA-48 (control sequences begin with ESC or a C1 character), Unicode Standard Annex 9
(marks that change the direction of the text).
"""

from __future__ import annotations

import re

#: Control characters but the tab and the line's end, the ends of lines that only some programs
#: know, and the marks of direction.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\u200e\u200f]")


def escape_controls(text: str) -> str:
    """Return the text with every character escaped that would control the reader's terminal."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
