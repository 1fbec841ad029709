"""The event loop's part: receive a request, hand it to a thread, or refuse it.

In: RSGI requests, whole or not, honest or not. Out: for each one answer, the application's or a
refusal. Only a complete request takes a thread, so a client that stalls takes nobody's place.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from wsgiref.types import WSGIApplication

from project.front.body import Body, announce, limit_of, linger, receive, weigh
from project.front.gateway import answer
from project.front.patience import Patience
from project.front.refusal import Overloaded, Refusal
from project.front.threads import Threads
from project.front.wire import HTTPProtocol, Scope

LARGE_BODIES = 256 * 1024 * 1024
CLOSE_SECONDS = 4.0


class Front:
    """An RSGI application that runs a WSGI one.

    It needs granian's asyncio tasks: with `--task-impl rust` a waiting task cannot be cancelled,
    so no body would ever time out. `at_close` is called when the process ends, after the last
    request.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int = 32,
        max_waiting: int = 1000,
        body_timeout: float = 10.0,
    ) -> None:
        self.at_close: list[Callable[[], object]] = []
        self._application = application
        self._count = threads
        self._max_waiting = max_waiting
        self._body_timeout = body_timeout
        self._held = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._patience = Patience(loop)
        self._threads = Threads(loop, count=self._count, max_waiting=self._max_waiting)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._patience.end()
        self._threads.close(CLOSE_SECONDS)
        for close in self.at_close:
            close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """The request is answered, and its body read or its connection about to close."""
        limit = limit_of(scope.path)
        announced = announce(scope)
        weight = weigh(announced, limit)
        self._held += weight
        try:
            if self._held > LARGE_BODIES:
                raise Overloaded
            body = Body()
            if announced != 0:
                until = self._loop.time() + self._body_timeout
                body = await receive(protocol, announced, limit, self._patience, until)
            await self._threads.hand(partial(answer, self._application, scope, protocol, body))
            if body.cut:
                await linger(protocol)
        except Refusal as refusal:
            refusal.send(scope, protocol, browsers=limit.ingest)
            await linger(protocol)
        finally:
            self._held -= weight
