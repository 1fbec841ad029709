"""A recorded request as a command line of curl. Its secrets stay masked."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tracking.destinations.transport.recorder import MASK

if TYPE_CHECKING:
    from tracking.events import Transcript
    from tracking.models import Attempt

#: curl writes these itself.
OWN_HEADERS = frozenset({"accept-encoding", "connection", "content-length", "host"})
#: The note at the end of a text that the recorder has cut.
CUT = re.compile(r"… \(cut at [\d,]+ of [\d,]+ bytes\)$")


def curl_of(request: Transcript | Attempt) -> str:
    """Return the command, a line for each argument."""
    lines = [f"curl --request {shlex.quote(request.method)} {shlex.quote(request.url)}"]
    lines += [
        f"--header {shlex.quote(f'{name}: {value}')}"
        for name, value in request.request_headers.items()
        if name.lower() not in OWN_HEADERS
    ]
    if request.request_body:
        lines.append(f"--data-raw {shlex.quote(request.request_body)}")
    return " \\\n  ".join(lines)


def is_masked(command: str) -> bool:
    """Return whether the command lacks a secret."""
    return MASK in command


def is_cut(request: Transcript | Attempt) -> bool:
    """Return whether only a part of the body was kept."""
    return CUT.search(request.request_body) is not None
