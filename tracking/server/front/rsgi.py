"""The event loop's part: receive a request, run it or hand it to a thread, or refuse it.

In: RSGI requests, whole or not, honest or not. Out: one answer for each, the application's or a
refusal. Only a complete request takes a thread, so a stalling client takes nobody's place.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from wsgiref.types import WSGIApplication, WSGIEnvironment

from tracking.ingest.write.deferred import NOTIFY, NeedsThread
from tracking.server.front.body import (
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
from tracking.server.front.gateway import Responder, answer, build_environ
from tracking.server.front.granian_types import HTTPProtocol, Scope
from tracking.server.front.outgoing import Connection, LargeAnswer, Outgoing, end_unread
from tracking.server.front.patience import Patience
from tracking.server.front.refusal import BodyTimeout, RequestRefused
from tracking.server.front.threads import Threads
from tracking.server.stop_signals import end_until_running

LARGE_BODIES = 256 * 1024 * 1024
LARGE_ANSWERS = 64 * 1024 * 1024
CLOSE_SECONDS = 4.0
#: How long a thread keeps the interpreter while others wait for it, the event loop among them: as
#: Python has it and, while pages are made, less. Shorter turns cost hits 5 % of their rate.
SWITCH_SECONDS, PAGES_SWITCH_SECONDS = sys.getswitchinterval(), 0.001


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
        ingest_threads: int = 16,
        max_waiting: int = 1000,
        body_timeout: float = 10.0,
        answer_timeout: float = 60.0,
        limit_of: Callable[[str], Limit] = lambda path: OTHER,
        commit_timeout: float = 1.5,
    ) -> None:
        """`limit_of` returns the limit of a path. A small ingest request that waits for nothing but
        its commit needs no thread, and saves four switches between threads. Other ingest requests
        have threads and a queue to themselves, so that slow pages do not keep hits waiting."""
        self.at_open: list[Callable[[], object]] = []
        self.at_close: list[Callable[[], object]] = []
        self._application = application
        self._counts = {"ingest": ingest_threads, "pages": threads}
        self._max_waiting = max_waiting
        self._body_timeout = body_timeout
        self._answer_timeout = answer_timeout
        self._limit_of = limit_of
        self._commit_timeout = commit_timeout
        self._memory = Memory(LARGE_BODIES)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        end_until_running(loop)
        # Everything loaded by now stays for ever: the garbage collector need not visit it again.
        gc.collect()
        gc.freeze()
        self._has_begun = False
        self._loop = loop
        self._patience = Patience(loop)
        self._outgoing = Outgoing(
            loop, self._patience, limit=LARGE_ANSWERS, seconds=self._answer_timeout
        )
        self._ingest, self._pages = (
            Threads(loop, name=name, count=count, max_waiting=self._max_waiting)
            for name, count in self._counts.items()
        )
        self._pages_at_work = 0
        for begin in self.at_open:
            begin()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._patience.end()
        for threads in (self._pages, self._ingest):
            threads.close(CLOSE_SECONDS)
        for close in self.at_close:
            close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer the request, and read its body to the end or close the connection."""
        if not self._has_begun:
            # Granian listens after __rsgi_init__.
            self._has_begun = True
            end_unread(self._answer_timeout)
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
            if limit.ingest:
                on_loop = limit.on_loop and len(body.content) <= SMALL
                await self._ingest_answer(environ, protocol, cut=body.cut, on_loop=on_loop)
            else:
                await self._page_answer(environ, protocol, cut=body.cut)
            if body.cut:
                await linger(protocol)
        except TimeoutError:
            BodyTimeout().send(scope, protocol, browsers=limit.browsers)
        except RequestRefused as refusal:
            refusal.send(scope, protocol, browsers=limit.browsers)
            await linger(protocol)
        finally:
            share.close()

    def _connection(self, environ: WSGIEnvironment, protocol: HTTPProtocol) -> Connection:
        peer = environ["REMOTE_ADDR"], environ["REMOTE_PORT"]
        if environ["SERVER_PROTOCOL"] == "HTTP/2":
            # It carries other answers, too: no answer ends it.
            peer = "", ""
        return Connection(self._loop, protocol, peer)

    def _begin(self, environ: WSGIEnvironment, protocol: HTTPProtocol, size: int) -> LargeAnswer:
        """Admit a large answer to a hit. Raises Overloaded."""
        return self._outgoing.begin(self._connection(environ, protocol), size)

    async def _page_answer(
        self, environ: WSGIEnvironment, protocol: HTTPProtocol, *, cut: bool
    ) -> None:
        """Run the application on a thread, unless the client has left before one is free."""
        connection = self._connection(environ, protocol)
        responder = Responder(
            protocol, environ, cut, lambda _, __, size: self._outgoing.begin(connection, size)
        )
        with self._short_turns():
            done = self._pages.hand(partial(answer, self._application, responder))
            connection.ended().add_done_callback(lambda _: done.cancel())
            with suppress(asyncio.CancelledError):
                await done
        if not connection.is_watched:
            connection.forget()

    @contextmanager
    def _short_turns(self) -> Iterator[None]:
        """Let the threads take short turns, so that those of pages do not keep the loop waiting."""
        self._pages_at_work += 1
        if self._pages_at_work == 1:
            sys.setswitchinterval(PAGES_SWITCH_SECONDS)
        try:
            yield
        finally:
            self._pages_at_work -= 1
            if not self._pages_at_work:
                sys.setswitchinterval(SWITCH_SECONDS)

    async def _ingest_answer(
        self, environ: WSGIEnvironment, protocol: HTTPProtocol, *, cut: bool, on_loop: bool
    ) -> None:
        """Run the application on the event loop as long as it neither has to wait nor to read much,
        else on a thread. A hit whose sender has left is stored all the same."""
        responder = Responder(protocol, environ, cut, self._begin)
        work = partial(answer, self._application, responder)
        if not on_loop:
            await self._ingest.hand(work)
            return
        settled = self._loop.create_future()
        environ[NOTIFY] = partial(self._ingest.tell, settled)
        try:
            held = work()
        except NeedsThread:
            del environ[NOTIFY]
            environ["wsgi.input"].seek(0)
            await self._ingest.hand(work)
            return
        if held is not None:
            with suppress(TimeoutError):
                await self._patience.wait(settled, self._loop.time() + self._commit_timeout)
            held.send(protocol)
