"""The stage between claims and requests: events in, mapped events out.

A mapping without expressions is applied at once. Expressions are evaluated by a process of their
own, and a thread waits for it: the loop and the other consumers go on. One thread serves all
consumers of the engine, a slice at a time, so that a slow mapping delays none of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tracking import process
from tracking.destinations.mapping.event_mapping import EventMapping, Outcome
from tracking.events import Event

#: Takes events, what became of them, and the loop's time at which their lease ends.
Mapped = Callable[[Sequence[Event], Sequence[Outcome], float], None]


class MappingThread:
    """The thread that waits for the evaluator. A fork of the process gets another one."""

    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="hitstream-mapping")


mapping_thread = MappingThread()


class MappingStage:
    """Applies the mapping of one integration. It lives on the engine's loop, as the requests do."""

    def __init__(
        self,
        mapping: EventMapping,
        loop: asyncio.AbstractEventLoop,
        *,
        mapped: Mapped,
        given_back: Callable[[Sequence[Event]], None],
        failed: Callable[[Exception], None],
        ended: Callable[[], None],
    ) -> None:
        """`mapped` gets the outcomes of each slice; `given_back` the events that are not mapped
        after a stop; `failed` the error for which the integration must be paused. `ended` is called
        when a task of the loop has ended."""
        self._mapping, self._loop = mapping, loop
        self._mapped, self._given_back, self._failed = mapped, given_back, failed
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False
        #: Events that are not mapped yet.
        self.waiting = 0

    @property
    def is_idle(self) -> bool:
        return not self._tasks

    def add(self, events: Sequence[Event], until: float) -> None:
        """Map the events, whose lease ends at the loop's time `until`."""
        if not events:
            return
        if not self._mapping.has_expressions:
            self._mapped(events, self._mapping.apply_all(events), until)
            return
        self.waiting += len(events)
        task = self._loop.create_task(self._map(events, until))
        self._tasks.add(task)
        task.add_done_callback(self._land)

    def stop(self) -> None:
        """Map no further slice: give the events back."""
        self._is_stopped = True

    def _land(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ended()

    async def _map(self, events: Sequence[Event], until: float) -> None:
        while events and not self._is_stopped:
            try:
                outcomes = await self._loop.run_in_executor(
                    mapping_thread.executor, self._mapping.apply_some, events
                )
            except Exception as error:
                self.stop()
                self._failed(error)
                break
            done, events = events[: len(outcomes)], events[len(outcomes) :]
            self.waiting -= len(done)
            self._mapped(done, outcomes, until)
        self.waiting -= len(events)
        self._given_back(events)
