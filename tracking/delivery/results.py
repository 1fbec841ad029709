"""The results of sent batches: settlements and attempts, buffered until they are written."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from tracking.delivery.attempts import CODE_LIMIT, attempt_of
from tracking.delivery.request_pool import Batch, BatchResult
from tracking.delivery.retry import delay
from tracking.destinations.transport.recorder import printable
from tracking.events import Event, Receipt
from tracking.exceptions import PermanentError, RetryableError, SetupError
from tracking.models import Integration
from tracking.models.deliveries.claim import Claim
from tracking.models.deliveries.outcome import DeliveryResult
from tracking.models.deliveries.settle import AttemptRecord, Settlement, settle
from tracking.models.integrations.failing import Streak
from tracking.models.upkeep import maintenance
from tracking.observer import Answered

logger = logging.getLogger(__name__)

#: A commit is worth so many entries, or entries so many seconds old.
RIPE_ENTRIES = 250
RIPE_SECONDS = 0.05


class ResultBuffer:
    """The buffered results of one integration, and the retry policy.

    `written` counts the committed results.
    """

    def __init__(self, integration: Integration, mask: Callable[[str], str] = printable) -> None:
        """`mask` removes the secrets from a text."""
        self.integration = integration
        self._mask = mask
        self.written: Counter[str] = Counter()
        self._claims: dict[UUID, Claim] = {}
        self._entries: list[Settlement] = []
        self._attempts: list[AttemptRecord] = []
        self._halves: list[Batch] = []
        self._since: float | None = None

    def open(self, claims: Iterable[Claim]) -> None:
        """Begin to account for the claims."""
        self._claims.update((claim.hit_id, claim) for claim in claims)

    @property
    def is_empty(self) -> bool:
        return not self._entries and not self._attempts

    @property
    def is_ripe(self) -> bool:
        old = self._since is not None and time.monotonic() - self._since > RIPE_SECONDS
        return old or len(self._entries) >= RIPE_ENTRIES

    def enter(self, sent: BatchResult, *, is_alive: bool = False) -> AttemptRecord:
        """Enter the batch's result; it is not yet in the database. While the destination accepts
        other batches, what looks like a wrong configuration may also be the fault of one hit.
        Returns the record of the attempt."""
        attempt = attempt_of(sent, self.integration, self._mask)
        self._attempts.append(attempt)
        events = sent.batch.events
        match sent.result:
            case Receipt(refused=refused):
                self._receive(events, attempt.id, refused)
            case SetupError() if not is_alive:
                self._send_again(events, attempt)
            case SetupError():
                self._retry(events, attempt, None)
            case RetryableError(retry_after=retry_after):
                self._retry(events, attempt, retry_after)
            case Exception() if sent.is_halved:
                self._halves += sent.batch.halves()
            case PermanentError() as error:
                self._give_up(events[0].id, attempt.id, error.code, str(error))
            case _:
                self._retry(events, attempt, None)
        return attempt

    def answered(self, sent: BatchResult, attempt: AttemptRecord) -> Answered:
        """Return what an observer gets of the attempt: no content of a hit."""
        return Answered(
            integration=self.integration.pk,
            destination=self.integration.destination,
            attempt=attempt.id,
            numbers={event.id: self._claims[event.id].attempts + 1 for event in sent.batch.events},
            failed_hits=attempt.failed_hits,
            status=attempt.status,
            duration=attempt.duration,
            error=attempt.code,
        )

    def give_back(self, events: Iterable[Event]) -> None:
        """Make the deliveries due at once, as if they had never been claimed."""
        for event in events:
            self._enter(event.id, "", attempted=False)

    def give_up_unsent(self, claim: Claim, code: str, message: str) -> None:
        """Make the delivery a dead letter without a request to the vendor."""
        attempt = AttemptRecord(
            id=uuid7(),
            made_at=datetime.now(UTC),
            hits=1,
            failed_hits=1,
            code=code,
            message=message,
        )
        self._attempts.append(attempt)
        self._give_up(claim.hit_id, attempt.id, code, message)

    def skip(self, event: Event, reason: str) -> None:
        """Settle the event as skipped, without a request."""
        self._enter(event.id, DeliveryResult.SKIPPED, uuid7(), reason=reason, attempted=False)

    def take_halves(self) -> list[Batch]:
        """Return refused batches in halves, to be sent until the refused event is isolated."""
        halves, self._halves = self._halves, []
        return halves

    def write(self, streak: Streak | None = None, *, is_shared: bool = False) -> int | None:
        """Commit all results and empty the buffer; what could not be written stays in it. With a
        streak, return how many failures in a row the integration has now. `is_shared` while other
        runs claim from the same integration."""
        if self.is_empty:
            return None
        failures = maintenance.retry_with_partitions(
            lambda: settle(
                self.integration, self._entries, self._attempts, streak, is_shared=is_shared
            )
        )
        self.written.update(str(entry.result) for entry in self._entries if entry.result)
        for entry in self._entries:
            self._claims.pop(entry.hit_id, None)
        self._entries, self._attempts, self._since = [], [], None
        return failures

    def _receive(
        self, events: Iterable[Event], attempt_id: UUID, refused: Mapping[UUID, str]
    ) -> None:
        for event in events:
            if event.id in refused:
                self._give_up(event.id, attempt_id, "refused", refused[event.id])
            else:
                self._enter(event.id, DeliveryResult.DELIVERED, attempt_id)

    def _retry(
        self, events: Iterable[Event], attempt: AttemptRecord, retry_after: float | None
    ) -> None:
        now = datetime.now(UTC)
        for event in events:
            claim = self._claims[event.id]
            attempts = claim.attempts + 1
            if attempts >= self.integration.max_attempts:
                self._give_up(event.id, attempt.id, "attempts_exhausted", attempt.message)
            elif now - claim.queued_at > timedelta(seconds=self.integration.max_age):
                self._give_up(event.id, attempt.id, "too_old", attempt.message)
            else:
                wait = delay(attempts, retry_after, self.integration.retry_base)
                self._enter(
                    event.id, DeliveryResult.FAILED, attempt.id, reason=attempt.message, wait=wait
                )

    def _send_again(self, events: Iterable[Event], attempt: AttemptRecord) -> None:
        """Make the deliveries due at once: the attempt is on record, but does not count as one of
        theirs."""
        for event in events:
            self._enter(
                event.id,
                DeliveryResult.FAILED,
                attempt.id,
                reason=attempt.message,
                attempted=False,
            )

    def _give_up(self, hit_id: UUID, attempt_id: UUID, code: str, message: str) -> None:
        self._enter(hit_id, DeliveryResult.DEAD_LETTER, attempt_id, code=code, reason=message)

    def _enter(
        self,
        hit_id: UUID,
        result: DeliveryResult | str,
        attempt_id: UUID | None = None,
        *,
        attempted: bool = True,
        code: str = "",
        reason: str = "",
        wait: float = 0.0,
    ) -> None:
        claim = self._claims[hit_id]
        self._since = self._since or time.monotonic()
        self._entries.append(
            Settlement(
                hit_id=hit_id,
                leased_until=claim.leased_until,
                result=result,
                attempts=claim.attempts + attempted,
                attempt_id=attempt_id,
                code=code[:CODE_LIMIT],
                reason=self._mask(reason),
                wait=wait,
            )
        )
