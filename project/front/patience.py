"""How long the front waits, for clients and for commits.

In: a promise (granian's or asyncio's future) and how long it may take. Out: what it becomes.
One timer looks after all of them: a timer for each request costs a tenth of the front's time.
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
        """What the promise becomes; raises TimeoutError once the loop's clock is past `until`."""
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
        """Nobody is looked after any more."""
        self._timer.cancel()
