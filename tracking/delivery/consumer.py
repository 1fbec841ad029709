"""The consumer of one integration: claims its deliveries, sends and settles them.

The engine calls `step` between turns of its event loop: only there the database is used.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from tracking import observer
from tracking.conf import conf
from tracking.delivery.batching import events_of, pack, sort_out
from tracking.delivery.breaker import Breaker, Hold, hold_back
from tracking.delivery.failure_log import failure_log, fields_of
from tracking.delivery.mapping_stage import MappingStage
from tracking.delivery.open_requests import OpenRequests
from tracking.delivery.request_pool import Batch, BatchResult, RequestPool
from tracking.delivery.results import ResultBuffer
from tracking.delivery.roster import concurrency_of, slot_count
from tracking.delivery.scan_bounds import scan_bounds
from tracking.destinations.mapping.event_mapping import Outcome
from tracking.destinations.transport.http import Client
from tracking.events import Event
from tracking.models import Integration, QueuedDelivery
from tracking.models.deliveries.claim import Claim
from tracking.models.deliveries.queue import HASTENED
from tracking.models.integrations.pause import GAPS

logger = logging.getLogger(__name__)

#: How many hits to claim: what was answered within so many seconds lately, but this many at least;
#: and no more than a limited rate sends within so many seconds.
PACE_SECONDS = 0.5
LEAST_CLAIMED = 100
RATE_SECONDS = 5
#: Seconds between two looks for suspects.
SUSPECTS_EVERY = 5.0


class Consumer:
    """Consumes an integration's queue until nothing is due, or nothing may be sent."""

    def __init__(
        self,
        integration: Integration,
        client: Client,
        loop: asyncio.AbstractEventLoop,
        wake: Callable[[], None],
        open_requests: OpenRequests,
    ) -> None:
        """`wake` is called when a step has something to do. Raises SetupError."""
        self.integration = integration
        self._destination = integration.open()
        self._loop, self._wake = loop, wake
        self._breaker = Breaker(integration)
        self._results = ResultBuffer(integration, self._destination.mask)
        self._pool = RequestPool(
            self._destination,
            client,
            loop,
            open_requests=open_requests,
            answered=self._answered,
            given_back=lambda batch: self._results.give_back(batch.events),
        )
        self._mapping = MappingStage(
            integration.open_mapping(),
            loop,
            mapped=self._mapped,
            given_back=self._results.give_back,
            failed=self._fail,
            ended=wake,
        )
        #: The part of the integration's rate that this run has, and its concurrency.
        self._share, self.concurrency = 0.0, 0
        self._fault: Exception | None = None
        self._hold: Hold | None = None
        self._is_held = False
        self._is_alive = False
        self._is_dry = False
        self._is_alone = False
        self._has_retries = False
        self._suspects_at = 0.0
        self._answers, self._pace, self._paced_at = 0, 0.0, loop.time()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is due, or nothing may be sent; and all results are written."""
        over = (self._is_dry and not self._has_retries) or self._pool.stopped
        return over and self._is_idle and self._results.is_empty

    @property
    def has_in_flight(self) -> bool:
        """Whether the loop has something to do."""
        return self._pool.has_in_flight or not self._mapping.is_idle

    @property
    def in_flight(self) -> int:
        """Requests in flight."""
        return self._pool.in_flight

    @property
    def wanted(self) -> int:
        """Requests that may be open at once, or that there are while nothing more is due."""
        if self._is_dry and self._mapping.is_idle:
            return min(self._pool.wanted, self.concurrency)
        return self.concurrency

    @property
    def _is_idle(self) -> bool:
        return self._pool.is_idle and self._mapping.is_idle

    def share(self, slots: int) -> None:
        """Send with so many of the integration's slots. With fewer than before, the next step gives
        back what waits, to be divided again."""
        share = slots / slot_count(self.integration)
        if share < self._share:
            self._give_back_waiting()
        self._share, self.concurrency = share, concurrency_of(self.integration, slots)

    def limit(self, cap: int) -> None:
        """Send with the share; for the moment, open at most `cap` requests."""
        rate = self.integration.rate_limit
        self._pool.limit(self.concurrency, rate * self._share if rate else None, cap=cap)

    def _give_back_waiting(self) -> None:
        for batch in self._pool.take_waiting():
            self._results.give_back(batch.events)

    def look_again(self) -> None:
        """Look for due deliveries in the next step."""
        self._is_dry = False

    def stop(self) -> None:
        """Stop sending; the next step gives back what waits."""
        self._mapping.stop()
        self._pool.stop()

    def give_up(self) -> None:
        """Cut off the requests in flight."""
        self._mapping.stop()
        self._pool.give_up()

    def step(self) -> None:
        """Write the results that came back, and start what may be sent next."""
        if self._pool.stopped:
            self._give_back_waiting()
        if self._results.is_ripe or not self._pool.has_in_flight:
            self._breaker.persisted(
                self._results.write(self._breaker.streak, is_shared=self._share < 1)
            )
        self._hold_or_release()
        if self._has_retries:
            self._hasten()
        if not self._pool.stopped:
            self._refill()

    def _hold_or_release(self) -> None:
        """Pause the integration, or end its pause after a successful probe."""
        if self._fault is not None and not self._is_held:
            self._is_held = True
            hold_back(self.integration, self._fault)
        elif self._hold is not None and not self._is_held:
            self._is_held = True
            self._pause(self._hold)
        elif self._breaker.probing and self._is_alive:
            Integration.objects.release(self.integration)
            self._breaker.probing = False
            self._has_retries = self.integration.paused_cause in GAPS

    def log_counts(self) -> None:
        """Log what was done."""
        counts = ", ".join(
            f"{many} {result}" for result, many in self._results.written.most_common()
        )
        if counts:
            logger.info("%s: %s", self.integration, counts, extra=fields_of(self.integration))

    def _answered(self, sent: BatchResult) -> None:
        """Take the result of a batch. Called on the loop."""
        attempt = self._results.enter(sent, is_alive=self._is_alive)
        failure_log.note(sent, self.integration, attempt)
        if sent.begun is not None:
            observer.end(sent.begun, self._results.answered(sent, attempt))
        self._answers += len(sent.batch.events)
        hold = self._breaker.judge(sent, attempt)
        if hold is not None:
            self._hold = self._hold or hold
            self._pool.stop()
        elif not sent.is_failure:
            self._is_alive = True
        self._pool.add_first(self._results.take_halves())
        wants_more = not self._is_dry and self._room() > 0
        if self._results.is_ripe or hold is not None or wants_more:
            self._wake()

    def _pause(self, hold: Hold) -> None:
        held = Integration.objects.hold(
            self.integration, hold.cause, hold.reason, seconds=hold.seconds
        )
        if held:
            what = self.integration, hold.cause, hold.reason
            logger.warning("%s is paused (%s): %s", *what, extra=fields_of(self.integration))

    def _hasten(self) -> None:
        """Make due what failed while the destination was down, part by part."""
        retries = QueuedDelivery.objects.filter(integration=self.integration)
        self._has_retries = retries.hasten() == HASTENED
        self._is_dry = False

    def _refill(self) -> None:
        """Claim more if there is room; a suspect only while nothing else is in flight."""
        if self._is_dry or (self._is_alone and not self._is_idle):
            return
        was_alone, self._is_alone = self._is_alone, False
        if self._loop.time() >= self._suspects_at and not was_alone:
            if not self._is_idle:
                return
            if self._claim_suspect():
                self._is_alone = True
                return
            self._suspects_at = self._loop.time() + SUSPECTS_EVERY
        room = self._room()
        if room > 0:
            self._is_dry = not self._claim(room) and not was_alone

    def _room(self) -> int:
        """Return how many more hits are worth claiming."""
        if self._breaker.probing:
            return int(self._is_idle)
        batch, rate = self._destination.batch_size, self.integration.rate_limit
        least = max(1, int(LEAST_CLAIMED * self._share))
        wanted = max(least, 2 * self._pool.allowed * batch, int(self._pace * PACE_SECONDS))
        if rate is not None:
            wanted = min(wanted, max(1, int(rate * self._share * batch * RATE_SECONDS)))
        waiting = self._pool.waiting + self._mapping.waiting
        return wanted - waiting if waiting <= wanted // 2 else 0

    def _claim(self, limit: int) -> bool:
        """Claim up to `limit` deliveries and start them. Returns whether there were any."""
        self._measure()
        until = self._loop.time() + self._lease
        claims = QueuedDelivery.objects.claim(
            self.integration,
            limit=limit,
            lease=self._lease,
            bound=scan_bounds.get("claim", self.integration.pk),
            in_order=self.integration.ordered,
        )
        if claims:
            scan_bounds.raise_to(self.integration.pk, claims[0].reached)
            self._send(claims, until)
        return bool(claims)

    def _claim_suspect(self) -> bool:
        until = self._loop.time() + self._lease
        claims = QueuedDelivery.objects.claim_suspect(self.integration, lease=self._lease)
        if claims:
            self._send(claims, until)
        return bool(claims)

    @property
    def _lease(self) -> float:
        return self._destination.timeout + conf.LEASE_SLACK

    def _measure(self) -> None:
        """Measure the recent rate in answered hits/s."""
        now = self._loop.time()
        if now - self._paced_at > PACE_SECONDS / 2:
            self._pace = self._answers / (now - self._paced_at)
            self._answers, self._paced_at = 0, now

    def _send(self, claims: Sequence[Claim], until: float) -> None:
        self._results.open(claims)
        self._mapping.add(events_of(claims, self._results), until)

    def _mapped(self, events: Sequence[Event], outcomes: Sequence[Outcome], until: float) -> None:
        """Send mapped events. Called on the loop, or in a step."""
        wanted = sort_out(events, outcomes, self._results, self._destination)
        self._pool.add(Batch(batch, until) for batch in pack(wanted, self._destination))

    def _fail(self, fault: Exception) -> None:
        """Stop, and let the next step pause the integration. Called on the loop."""
        self._fault = self._fault or fault
        self.stop()
