"""What a sent batch comes to: attempts on record, deliveries settled, postponed or buried."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, router, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from tracking.events import Event, Receipt
from tracking.exceptions import DeliveryError, PermanentError, RetryableError, SetupError
from tracking.models import Attempt, DeadLetter, Integration, Outcome, Owed, maintenance
from tracking.models.outcome import Result
from tracking.models.owed import Claim
from tracking.outbox.retry import delay
from tracking.outbox.sender import Batch, Sent

logger = logging.getLogger(__name__)


class Ledger:
    """The bookkeeping of one claim: collects what came back, then writes it in one transaction.

    `results` counts what is written.
    """

    def __init__(self, integration: Integration, claims: Iterable[Claim]) -> None:
        self.integration = integration
        self.claims: Mapping[UUID, Claim] = {claim.hit_id: claim for claim in claims}
        self._halves: list[Batch] = []
        self.setup_error: SetupError | None = None
        self.results: Counter[str] = Counter()
        self._attempts: list[Attempt] = []
        self._outcomes: list[Outcome] = []
        self._letters: list[DeadLetter] = []
        self._retried: list[tuple[Claim, datetime]] = []
        self._given_back: list[tuple[Claim, datetime]] = []

    def enter(self, sent: Sent) -> None:
        """The batch's result is in the books, not yet in the database."""
        attempt = self._attempt(sent)
        match sent.result:
            case Receipt(refused=refused):
                for event in sent.batch:
                    if event.id in refused:
                        self._bury(event.id, attempt, "refused", refused[event.id])
                    else:
                        self._outcome(event.id, attempt.id, Result.DELIVERED)
            case SetupError() as error:
                self.setup_error = error
                self.give_back(sent.batch)
            case RetryableError() as error:
                self._retry(sent.batch, attempt, error)
            case Exception() if len(sent.batch) > 1:
                # Refused by the vendor, or by our own code: there may be one event to blame.
                middle = len(sent.batch) // 2
                self._halves += [sent.batch[:middle], sent.batch[middle:]]
            case PermanentError() as error:
                self._bury(sent.batch[0].id, attempt, error.code, str(error))
            case error:
                self._retry(sent.batch, attempt, error)

    def give_back(self, batch: Iterable[Event]) -> None:
        """The batch is due again at once, as if it had never been claimed."""
        now = timezone.now()
        self._given_back += [(self.claims[event.id], now) for event in batch]

    def bury_unsent(self, claim: Claim, code: str, message: str) -> None:
        """The delivery is a dead letter for a reason of our own; the vendor hears nothing of it."""
        attempt = Attempt(id=uuid7(), integration=self.integration, hits=1, duration=0.0)
        attempt.code, attempt.message = code, message
        self._attempts.append(attempt)
        self._bury(claim.hit_id, attempt, code, message)

    def take_halves(self) -> list[Batch]:
        """Refused batches, to be sent in halves until the event that is refused is found."""
        halves, self._halves = self._halves, []
        return halves

    def write(self) -> None:
        """All that was entered is committed, and the books are empty."""
        try:
            self._write()
        except IntegrityError:
            # "No partition of relation found for row": nobody made the day's leaves.
            if not maintenance.make_partitions():
                raise
            self._write()

    def _write(self) -> None:
        with transaction.atomic(using=router.db_for_write(Owed)):
            Attempt.objects.bulk_create(self._attempts)
            settled = [o for o in self._outcomes if o.result != Result.FAILED]
            Owed.objects.settle([self.claims[outcome.hit_id] for outcome in settled])
            DeadLetter.objects.bulk_create(self._letters, ignore_conflicts=True)
            Outcome.objects.bulk_create(self._outcomes)
            Owed.objects.postpone(self._retried, attempted=True)
            Owed.objects.postpone(self._given_back, attempted=False)
        self.results.update(outcome.result for outcome in self._outcomes)
        self._attempts, self._outcomes, self._letters = [], [], []
        self._retried, self._given_back = [], []

    def _attempt(self, sent: Sent) -> Attempt:
        result = sent.result
        attempt = Attempt(
            id=uuid7(), integration=self.integration, hits=len(sent.batch), duration=0.0
        )
        if isinstance(result, (Receipt, DeliveryError)) and result.exchange is not None:
            attempt.record(result.exchange)
        if isinstance(result, DeliveryError):
            attempt.code, attempt.message = result.code, str(result)
        elif isinstance(result, Exception):
            attempt.code, attempt.message = "destination_failed", repr(result)
            logger.error("%s failed in our own code", self.integration, exc_info=result)
        self._attempts.append(attempt)
        return attempt

    def _retry(self, batch: Batch, attempt: Attempt, error: Exception) -> None:
        retry_after = error.retry_after if isinstance(error, RetryableError) else None
        for event in batch:
            claim = self.claims[event.id]
            attempts = claim.attempts + 1
            if attempts >= self.integration.max_attempts:
                self._bury(event.id, attempt, "attempts_exhausted", attempt.message)
                continue
            due_at = timezone.now() + timedelta(seconds=delay(attempts, retry_after))
            self._retried.append((claim, due_at))
            self._outcome(event.id, attempt.id, Result.FAILED, attempt.message)

    def _bury(self, hit_id: UUID, attempt: Attempt, code: str, message: str) -> None:
        claim = self.claims[hit_id]
        self._outcome(hit_id, attempt.id, Result.BURIED, message)
        self._letters.append(
            DeadLetter(
                integration=self.integration,
                hit_id=hit_id,
                code=code,
                message=message,
                attempts=claim.attempts + 1,
                attempt_id=attempt.id,
            )
        )

    def _outcome(self, hit_id: UUID, attempt_id: UUID, result: Result, reason: str = "") -> None:
        self._outcomes.append(
            Outcome(
                hit_id=hit_id,
                integration=self.integration,
                attempt_id=attempt_id,
                result=result,
                reason=reason,
            )
        )
