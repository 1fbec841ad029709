"""The web server's application: `granian --interface rsgi project.server:app`.

In: requests, whole or not, honest or not. Out: Django's answers. The event loop receives every
body within its limits; only a complete request takes one of Django's threads. So a client that
stalls costs memory for some seconds and nobody's time, and chunked bodies arrive.

HITSTREAM_THREADS       Django's threads in each process (32)
HITSTREAM_MAX_WAITING   requests that may wait for a thread before 503 is answered (1000)
HITSTREAM_BODY_TIMEOUT  seconds for a whole body before 408 is answered (10)
"""

import asyncio
import json
import os
from collections.abc import Callable
from functools import partial
from wsgiref.types import WSGIApplication

from granian.rsgi import HTTPProtocol, Scope

from project.front.body import BrokenBody, Limit, announce, limit_of, linger, receive
from project.front.gateway import answer
from project.front.threads import Overloaded, Threads

BODY_BUDGET = 256 * 1024 * 1024
CLOSE_SECONDS = 20.0


class Front:
    """An RSGI application that runs a WSGI one. Needs granian's asyncio tasks: with
    `--task-impl rust` a waiting task cannot be cancelled, and no body would ever time out.

    `at_close` are called when the process ends, after the last request.
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
        self._threads = Threads(loop, count=self._count, max_waiting=self._max_waiting)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._threads.close(CLOSE_SECONDS)
        for close in self.at_close:
            close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """The request is answered, and its body read or its connection about to close."""
        limit = limit_of(scope.path)
        refuse = partial(_refuse, scope, protocol, limit)
        announced = announce(scope)
        reserved = self._reserve(announced, limit)
        try:
            async with asyncio.timeout(self._body_timeout):
                body = await receive(protocol, announced, limit.size)
            if body.cut and not limit.ingest:
                refuse(413, "body_too_large", f"A body may have {limit.size} bytes here")
            else:
                work = partial(
                    answer, self._application, scope, protocol, body, last=body.cut
                )
                await self._threads.hand(work)
            if body.cut:
                await linger(protocol)
        except TimeoutError:
            pass
