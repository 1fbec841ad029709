"""An operation that was requested, its progress, and its result.

Each step and its progress are one transaction, under a lock on the operation's row: one worker at a
time, and a killed worker leaves nothing half done. Any worker continues. `next_at` paces the steps,
whichever worker makes them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tracking import db
from tracking.models.deliveries.criteria import Criteria
from tracking.models.integrations.integration import Integration
from tracking.models.operations.backfill import Backfill
from tracking.models.operations.base import CHUNK, BatchOperation, OperationStep
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.replay import Replay

logger = logging.getLogger(__name__)

#: Seconds to wait while other workers run the operations.
IDLE_SECONDS = 0.1
KINDS: dict[str, type[BatchOperation]] = {kind.name: kind for kind in (Replay, Backfill, Cancel)}


class OperationState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("operation", "Waiting")
    RUNNING = "running", _("Running")
    STOPPED = "stopped", _("Stopped")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


OPEN = (OperationState.WAITING, OperationState.RUNNING)


class OperationQuerySet(models.QuerySet["Operation"]):
    def request(self, operation: BatchOperation, *, by: str, rate: int | None = None) -> Operation:
        """Create the operation on exactly what matches its criteria now. A worker runs it."""
        bound = type(operation)(operation.integration, operation.bound())
        return self.create(
            kind=operation.name,
            integration=operation.integration,
            criteria=bound.criteria.dump(),
            rate=rate,
            total=bound.preview().count,
            requested_by=by,
        )

    def record(
        self,
        operation_class: type[BatchOperation],
        integration: Integration,
        *,
        done: int,
        by: str,
        message: str = "",
    ) -> Operation:
        """Record what was done at once as a finished operation."""
        now, made = timezone.now(), self.model(kind=operation_class.name, integration=integration)
        made.total, made.done, made.requested_by, made.message = done, done, by, message
        made.state, made.started_at, made.ended_at = OperationState.FINISHED, now, now
        made.save()
        return made

    def unfinished(self) -> OperationQuerySet:
        return self.using(db.write_alias()).filter(state__in=OPEN)

    def ready(self) -> OperationQuerySet:
        """Return the operations whose next step may run now."""
        return self.unfinished().filter(next_at__lte=Now())

    def neglected(self, seconds: float) -> OperationQuerySet:
        """Return the operations that no worker runs: not begun, or with a next step that has been
        due for so many seconds."""
        late = models.Q(next_at__lte=timezone.now() - timedelta(seconds=seconds))
        return self.unfinished().filter(late | models.Q(state=OperationState.WAITING))


class Operation(models.Model):
    kind = models.CharField(_("kind"), max_length=10, choices=[(name, name) for name in KINDS])
    integration = models.ForeignKey(
        Integration,
        on_delete=models.PROTECT,
        related_name="operations",
        verbose_name=_("integration"),
    )
    criteria = models.JSONField(_("criteria"), default=dict)
    rate = models.PositiveIntegerField(
        _("rate (hits/s)"), null=True, blank=True, validators=(MinValueValidator(1),)
    )
    total = models.PositiveBigIntegerField(
        _("total"), help_text=_("The number of rows when the operation was requested.")
    )
    done = models.PositiveBigIntegerField(_("done"), default=0)
    position = models.CharField(_("position"), max_length=36, blank=True, default="")
    state = models.CharField(
        _("state"), max_length=10, choices=OperationState.choices, default=OperationState.WAITING
    )
    message = models.TextField(_("message"), blank=True, default="")
    requested_by = models.CharField(_("requested by"), max_length=150)
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True)
    next_at = models.DateTimeField(_("next at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("requested_at",), name="hitstream_operation_requested"),
            models.Index(
                fields=("next_at",),
                name="hitstream_operation_open",
                condition=models.Q(state__in=OPEN),
            ),
        )
        verbose_name = _("operation")
        verbose_name_plural = _("operations")

    def __str__(self) -> str:
        return str(KINDS[self.kind].title) % {"integration": self.integration}

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def label(self) -> str:
        """The kind, as people read it."""
        return str(KINDS[self.kind].label)

    @property
    def title(self) -> str:
        return str(KINDS[self.kind].title) % {"integration": self.integration.title}

    @property
    def selected(self) -> Criteria:
        return Criteria.load(self.criteria)

    def open_verb(self) -> BatchOperation:
        return KINDS[self.kind](self.integration, self.selected)

    def step(self) -> bool:
        """Run the next step if it is due and no other worker runs one. Returns whether it did. A
        step that fails is rolled back, and ends the operation with the reason. Raises
        OperationalError, InterfaceError."""
        using = db.write_alias()
        try:
            with transaction.atomic(using=using):
                ready = Operation.objects.using(using).ready().select_for_update(skip_locked=True)
                current = ready.filter(pk=self.pk).first()
                if current is None:
                    return False
                current.take(current.open_verb().step(current.position, current.chunk))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("%s failed", self)
            self.end(OperationState.FAILED, str(error).partition("\n")[0] or type(error).__name__)
        return True

    @property
    def chunk(self) -> int:
        """The most hits of a step: one second's worth of the rate."""
        return min(CHUNK, self.rate or CHUNK)

    def take(self, step: OperationStep) -> None:
        """Record the step, and when the next one may run."""
        now = timezone.now()
        self.done, self.position = self.done + step.moved, step.position
        self.started_at, self.state = self.started_at or now, OperationState.RUNNING
        pause = max(step.wait or 0.0, step.moved / self.rate if self.rate else 0.0)
        self.next_at = now + timedelta(seconds=pause)
        if step.wait is None:
            self.state, self.ended_at = OperationState.FINISHED, now
        self.save()

    def stop(self, by: str) -> None:
        """Stop after the chunk in progress. What is done stays done."""
        self.end(OperationState.STOPPED, f"Stopped by {by}.")

    def end(self, state: OperationState, message: str) -> None:
        """End the operation, unless it has ended. Waits for the chunk in progress."""
        Operation.objects.unfinished().filter(pk=self.pk).update(
            state=state, message=message, ended_at=timezone.now()
        )

    def go_on(self) -> None:
        """Resume what a stop or a failure left undone."""
        unended = Operation.objects.filter(
            pk=self.pk, state__in=(OperationState.STOPPED, OperationState.FAILED)
        )
        unended.update(
            state=OperationState.WAITING, message="", ended_at=None, next_at=timezone.now()
        )


def run_operations(
    seconds: float,
    *,
    on_chunk: Callable[[Operation], object],
    stopping: threading.Event | None = None,
) -> bool:
    """Run pending operations round-robin for `seconds`, or until `stopping` is set. Returns whether
    work remains. `on_chunk` is called after each committed chunk."""
    stopping = stopping or threading.Event()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not stopping.is_set():
        stepped = False
        for operation in Operation.objects.ready():
            if operation.step():
                stepped = True
                on_chunk(operation)
        if stepped:
            continue
        soonest = Operation.objects.unfinished().order_by("next_at").first()
        if soonest is None:
            return False
        wait = (soonest.next_at - timezone.now()).total_seconds()
        stopping.wait(min(max(wait, IDLE_SECONDS), 1.0))
    return True
