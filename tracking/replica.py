"""Whether this context reads from the replica (HITSTREAM["REPLICA"]), which may lag.

`tracking.router.ReplicaRouter` obeys it. Only pages ask for it, for as long as they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_reading: ContextVar[bool] = ContextVar("hitstream_reads_replica", default=False)


def is_read() -> bool:
    return _reading.get()


@contextmanager
def reads() -> Iterator[None]:
    """Read Hitstream's tables from the replica inside."""
    before = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(before)
