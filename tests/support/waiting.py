"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(happens: Callable[[], Any], *, within: float) -> None:
    """Returns as soon as it does; fails when the seconds are over."""
    ends = time.monotonic() + within
    while not happens():
        assert time.monotonic() < ends, f"not within {within} seconds"
        time.sleep(0.02)
