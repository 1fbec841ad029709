"""One run of the delivery engine: it sends what is due for all integrations on one event loop.

The loop runs only while the engine waits; between its turns the engine looks for due deliveries and
lets each Consumer use the database. So a destination that hangs holds sockets, not threads, and
delays no other.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from django.db import InterfaceError, OperationalError

from tracking import db
from tracking.conf import conf
from tracking.delivery.breaker import hold_back
from tracking.delivery.consumer import Consumer
from tracking.delivery.due import due_of, find_running, is_same
from tracking.delivery.lease import Leases, Slot
from tracking.delivery.loop import new_event_loop
from tracking.delivery.open_requests import OpenRequests, divide
from tracking.delivery.roster import Roster, concurrency_of
from tracking.destinations.transport.http import Client
from tracking.models import Integration

logger = logging.getLogger(__name__)

#: Seconds that one run goes on while more is due; the next run continues. A worker that only Celery
#: stops waits for the run to end.
RUN_SECONDS = 20.0
#: Seconds that a turn of the loop may take, and seconds between two looks for due deliveries;
#: looking must not take more than a twentieth of the time. A single slow look, as while a
#: connection is made, delays the next one by a second at most: other runs and integrations wait.
TURN_SECONDS = 0.05
LOOK_SECONDS, LATEST_LOOK_SECONDS = 0.02, 1.0
LOOK_SHARE = 20
#: Seconds for which results are kept while the database is away.
RESCUE_SECONDS = 20.0
#: Seconds between two calls for other workers while there is more to send.
CALL_SECONDS = 1.0

LOST = (OperationalError, InterfaceError)


class Run:
    """The event loop, the consumers, and the time of the next look."""

    def __init__(
        self,
        stopping: threading.Event,
        open_requests: OpenRequests,
        time_is_up: Callable[[], object],
        call_others: Callable[[], object],
    ) -> None:
        """`time_is_up` is called when another run may continue, while this one only waits for its
        last answers; `call_others` each second while there is work for other workers."""
        self._stopping, self._open_requests = stopping, open_requests
        self._time_is_up, self._call_others = time_is_up, call_others
        self._consumers: dict[int, Consumer] = {}
        holder = uuid4()
        self._leases, self._roster = Leases(holder), Roster(holder)
        self._turns = 0
        self._call_at = time.monotonic() + CALL_SECONDS
        self._look_at = 0.0
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self._loop = self._runner.get_loop()
        self._awake = asyncio.Event()
        #: A requested look that was not yet made.
        self.is_wanted = False

    @property
    def live_runs(self) -> int:
        """How many runs share the integrations, this one included."""
        return self._roster.runs

    def wake_from_outside(self) -> None:
        self.is_wanted = True
        with suppress(RuntimeError):  # The loop is closed: the run is over.
            self._loop.call_soon_threadsafe(self._look_now)

    def _look_now(self) -> None:
        self._look_at = 0.0
        self._awake.set()

    def go(self, linger: float) -> bool:
        """Run until nothing is due, the time is up or the process must stop. Returns whether
        nothing was due."""
        with self._runner:
            self._client = self._runner.run(Client().__aenter__())
            try:
                return self._until_done(linger)
            except LOST:
                self._rescue()
                raise
            finally:
                self._runner.run(self._client.__aexit__(None, None, None))
                with suppress(*LOST):
                    self._roster.retire()
                    self._leases.leave([*self._leases.held])

    def _until_done(self, linger: float) -> bool:
        ends = time.monotonic() + RUN_SECONDS
        idle_at = time.monotonic()
        while not self._stopping.is_set() and time.monotonic() < ends:
            self._look()
            was_busy = bool(self._consumers)
            self._step()
            if was_busy:
                idle_at = time.monotonic()
                self._call()
            elif time.monotonic() - idle_at >= linger:
                return True
            self._turn(min(TURN_SECONDS, max(0.001, self._look_at - time.monotonic())))
        self._wind_down()
        return False

    def _call(self) -> None:
        """Call other workers while there is more to send."""
        if time.monotonic() >= self._call_at:
            self._call_at = time.monotonic() + CALL_SECONDS
            self._call_others()

    def _look(self) -> None:
        """Start a consumer for each running integration with due deliveries of which this run gets
        slots; end consumers whose integration was paused or changed."""
        began = time.monotonic()
        if began < self._look_at:
            return
        self.is_wanted = False
        running = find_running()
        for pk, consumer in self._consumers.items():
            if pk not in running or not is_same(running[pk], consumer.integration):
                consumer.stop()
        found = set(due_of(running))
        for pk in found & set(self._consumers):
            self._consumers[pk].look_again()
        if found or self._consumers:
            self._roster.refresh()
            self._take({running[pk] for pk in running if pk in found or pk in self._consumers})
        took = time.monotonic() - began
        rest = min(max(LOOK_SECONDS, took * LOOK_SHARE), LATEST_LOOK_SECONDS)
        self._look_at = time.monotonic() + rest

    def _take(self, integrations: set[Integration]) -> None:
        """Lease the slots of the integrations that this run is entitled to, and start consumers."""
        wanted = {slot for each in integrations for slot in self._roster.mine(each)}
        for pk in {pk for pk, _ in self._leases.take(wanted - self._leases.held)}:
            if pk not in self._consumers:
                self._begin(next(each for each in integrations if each.pk == pk))

    def _begin(self, integration: Integration) -> None:
        """Start a consumer, unless another run has probed the integration since this one looked."""
        if integration.paused_at:
            probe = find_running(integration.pk).get(integration.pk)
            if probe is None:
                self._leave(integration.pk)
                return
            integration = probe
        self._open(integration)

    def _open(self, integration: Integration) -> None:
        try:
            self._consumers[integration.pk] = Consumer(
                integration, self._client, self._loop, self._awake.set, self._open_requests
            )
        except Exception as error:
            hold_back(integration, error)
            self._leave(integration.pk)

    def _leave(self, pk: int) -> None:
        self._leases.leave([slot for slot in self._leases.held if slot[0] == pk])

    def _share(self) -> None:
        """Give each consumer the concurrency and the rate of the slots that this run may keep, and
        leave the other slots as their requests end."""
        held: dict[int, set[Slot]] = {pk: set() for pk in self._consumers}
        for slot in self._leases.held:
            # Without a consumer where the database was lost between the lease and its start.
            if slot[0] in held:
                held[slot[0]].add(slot)
        left: list[Slot] = []
        for pk, consumer in self._consumers.items():
            kept = [slot for slot in held[pk] if self._roster.is_mine(slot)]
            if not kept:
                consumer.stop()
            consumer.share(len(kept))
            extra = sorted(held[pk].difference(kept))
            # A probe keeps its slot until its result is written: another run would not know of it.
            is_probe = consumer.integration.paused_at is not None
            while (
                extra
                and not is_probe
                and consumer.in_flight
                <= concurrency_of(consumer.integration, len(kept) + len(extra) - 1)
            ):
                left.append(extra.pop())
        self._leases.leave(left)
        self._limit()

    def _limit(self) -> None:
        """Divide the requests that this process may have open."""
        self._turns += 1
        cap = max(1, conf.MAX_OPEN_REQUESTS)
        caps = {pk: consumer.concurrency for pk, consumer in self._consumers.items()}
        if sum(caps.values()) > cap:
            wanted = {pk: consumer.wanted for pk, consumer in self._consumers.items()}
            caps = divide(cap, wanted, self._turns)
        for pk, consumer in self._consumers.items():
            consumer.limit(caps[pk])

    def _step(self) -> None:
        self._leases.renew()
        self._share()
        for pk, consumer in list(self._consumers.items()):
            try:
                consumer.step()
            except LOST:
                raise
            except Exception as error:
                # No other integration suffers from it. What it had claimed is due when its lease
                # ends.
                consumer.give_up()
                hold_back(consumer.integration, error)
            else:
                if not consumer.is_finished:
                    continue
            consumer.log_counts()
            self._leave(pk)
            del self._consumers[pk]
            # It may have ended for a change of the integration, with more to send.
            self._look_at = 0.0

    def _turn(self, seconds: float) -> None:
        """Run the loop until a consumer has something to do, or the seconds are over."""
        self._runner.run(self._rest(seconds))

    async def _rest(self, seconds: float) -> None:
        timer = self._loop.call_later(seconds, self._awake.set)
        await self._awake.wait()
        self._awake.clear()
        timer.cancel()

    def _wind_down(self) -> None:
        """Give back what waits; let requests in flight end, or cut them off if they take too long
        for a process that must stop."""
        self._stop_consumers()
        self._roster.retire()
        self._step()
        self._time_is_up()
        ends = math.inf
        while (
            any(consumer.has_in_flight for consumer in self._consumers.values())
            and time.monotonic() < ends
        ):
            if self._stopping.is_set():
                ends = min(ends, time.monotonic() + conf.STOP_TIMEOUT)
            self._turn(TURN_SECONDS)
            self._step()
        for consumer in self._consumers.values():
            consumer.give_up()
        self._turn(0.0)
        self._step()

    def _stop_consumers(self) -> None:
        for consumer in self._consumers.values():
            consumer.stop()

    def _rescue(self) -> None:
        """Finish while the database is away: requests in flight end, and their results are written
        as soon as the database is back, or they would be sent twice."""
        self._stop_consumers()
        ends = time.monotonic() + RESCUE_SECONDS
        while self._consumers and time.monotonic() < ends:
            self._turn(TURN_SECONDS)
            if not any(consumer.has_in_flight for consumer in self._consumers.values()):
                db.close()
                with suppress(*LOST):
                    self._step()
        if self._consumers:
            logger.warning("What was sent last could not be noted: it will be sent again.")
