"""The event loop that deliveries run on."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import suppress


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed."""
    with suppress(ImportError):
        loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
        return loop
    return asyncio.new_event_loop()
