"""The event loop's part: receive a request, run it or hand it to a thread, or refuse it.

In: RSGI requests, whole or not, honest or not. Out: one answer for each, the application's or a
refusal. Only a complete request takes a thread, so a stalling client takes nobody's place.
"""

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from wsgiref.types import WSGIApplication, WSGIEnvironment

from project.front.body import (
    OTHER,
    SMALL,
    Body,
    Limit,
    Memory,
    Share,
    announce,
    linger,
    receive,
)
from project.front.gateway import answer, build_environ
from project.front.granian_types import HTTPProtocol, Scope
from project.front.patience import Patience
from project.front.refusal import BodyTimeout, RequestRefused
from project.front.threads import Threads
from tracking.ingest.write.deferred import NOTIFY, NeedsThread

LARGE_BODIES = 256 * 1024 * 1024
CLOSE_SECONDS = 4.0


class Front:
    """An RSGI application that runs a WSGI one.

    It needs granian's asyncio tasks: under `--task-impl rust` the reading of unwanted bodies could
    not be ended in time. `at_open` is called when the process begins, before the first request,
    `at_close` when it ends, after the last one.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int = 32,
        max_waiting: int = 1000,
        body_timeout: float = 10.0,
        limit_of: Callable[[str], Limit] = lambda path: OTHER,
        commit_timeout: float = 1.5,
    ) -> None:
        """`limit_of` returns the limit of a path. A small ingest request that waits for nothing but
        its commit needs no thread, and saves four switches between threads."""
        self.at_open: list[Callable[[], object]] = []
        self.at_close: list[Callable[[], object]] = []
        self._application = application
        self._count = threads
        self._max_waiting = max_waiting
        self._body_timeout = body_timeout
        self._limit_of = limit_of
        self._commit_timeout = commit_timeout
        self._memory = Memory(LARGE_BODIES)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Everything loaded by now stays for ever: the garbage collector need not visit it again.
        gc.collect()
        gc.freeze()
        self._loop = loop
        self._patience = Patience(loop)
        self._threads = Threads(loop, count=self._count, max_waiting=self._max_waiting)
        for begin in self.at_open:
            begin()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._patience.end()
        self._threads.close(CLOSE_SECONDS)
        for close in self.at_close:
            close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer the request, and read its body to the end or close the connection."""
        limit = self._limit_of(scope.path)
        announced = announce(scope)
        share = Share(self._memory)
        try:
            body = Body()
            if announced != 0:
                until = self._loop.time() + self._body_timeout
                body = await receive(
                    scope, protocol, announced, limit, self._patience, until, share
                )
            environ = build_environ(scope, body)
            await self._answer(environ, protocol, limit, len(body.content), cut=body.cut)
            if body.cut:
                await linger(protocol)
        except TimeoutError:
            BodyTimeout().send(scope, protocol, browsers=limit.ingest)
        except RequestRefused as refusal:
            refusal.send(scope, protocol, browsers=limit.ingest)
            await linger(protocol)
        finally:
            share.close()

    async def _answer(
        self,
        environ: WSGIEnvironment,
        protocol: HTTPProtocol,
        limit: Limit,
        size: int,
        *,
        cut: bool,
    ) -> None:
        """Run the application on one of its threads; on the event loop as long as it neither has to
        wait nor to read much."""
        work = partial(answer, self._application, environ, protocol, cut=cut)
        if not (limit.ingest and limit.on_loop) or size > SMALL:
            await self._threads.hand(work)
            return
        settled = self._loop.create_future()
        environ[NOTIFY] = partial(self._threads.tell, settled)
        try:
            held = work()
        except NeedsThread:
            del environ[NOTIFY]
            environ["wsgi.input"].seek(0)
            await self._threads.hand(work)
            return
        if held is not None:
            with suppress(TimeoutError):
                await self._patience.wait(settled, self._loop.time() + self._commit_timeout)
            held.send(protocol)
