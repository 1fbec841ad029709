"""Time limits of the front, for clients and for commits.

In: a promise (granian's or asyncio's future) and its time limit. Out: its result. One timer serves
all promises: a timer for each request costs a tenth of the front's time.
"""

import asyncio
from typing import Any

LOOK_EVERY = 0.25


class Patience:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._awaited: dict[Any, float] = {}
        self._look()

    async def wait(self, promise: Any, until: float) -> Any:
        """Return the promise's result. Raises TimeoutError if the loop's clock passes `until`."""
        self._awaited[promise] = until
        try:
            return await promise
        except asyncio.CancelledError:
            raise TimeoutError from None
        finally:
            del self._awaited[promise]

    def _look(self) -> None:
        now = self._loop.time()
        for promise in [promise for promise, until in self._awaited.items() if until < now]:
            promise.cancel()
        self._timer = self._loop.call_later(LOOK_EVERY, self._look)

    def end(self) -> None:
        """Stop the timer."""
        self._timer.cancel()
