"""What a request does that may have to wait, on a server whose event loop must not.

Such a server calls the application on its event loop, with a function under WAITS in the environ
that may be called from any thread. Where the view then leaves a Pending (see pending.py) under
PENDING, its answer counts only once the function was called. Where it raises NeedsThread, the
server asks again from the start, on a thread and without WAITS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WAITS = "hitstream.waits"
PENDING = "hitstream.pending"


class NeedsThread(BaseException):
    """The answer hangs on something slow. It is no error, so no `except Exception` may see it."""


def wait_if_allowed(environ: Mapping[str, Any]) -> None:
    """The caller may wait from here on; raises NeedsThread where nobody may."""
    if WAITS in environ:
        raise NeedsThread
