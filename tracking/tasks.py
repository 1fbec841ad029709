"""The Celery tasks. The broker holds no truth: a lost message costs a little time, since everything
that is queued is in Postgres. A task that meets a dead database fails without a traceback: the next
task does its work."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from celery import Task, shared_task
from celery.signals import worker_shutting_down
from django.db import InterfaceError, OperationalError

from tracking.alerts.evaluate import evaluate as look
from tracking.alerts.notify import notify
from tracking.conf import conf
from tracking.delivery.engine import engine
from tracking.models import Heartbeat, Ledger, Operation
from tracking.models.analytics import rollup_job
from tracking.models.analytics.watermark import Busy
from tracking.models.operations.operation import run_operations
from tracking.models.upkeep import maintenance, retention
from tracking.wakeup import EXPIRES, wake_dispatcher

#: How long one task carries out operations; the next one goes on.
OPERATE_SECONDS = 10.0
#: How long one task counts hits; while there are more, the next one goes on.
SUMMARISE_SECONDS = 10.0
#: Ready for so many seconds, and nobody made its next step: an operation's worker died.
NEGLECTED = 3.0


@shared_task(name="hitstream.dispatch", bind=True, throws=(OperationalError, InterfaceError))
def dispatch(task: Task[..., None]) -> None:
    """What is due is sent. In a worker it goes on for as long as nobody may ring."""
    if task.request.called_directly or task.request.is_eager:
        engine.run()
        return
    Heartbeat.objects.beat("worker")
    if Operation.objects.neglected(NEGLECTED).exists():
        operate.apply_async(expires=EXPIRES)
    again = partial(dispatch.apply_async, expires=EXPIRES)
    engine.run(linger=conf.WAKEUP_INTERVAL, again=again)


@shared_task(name="hitstream.consolidate", throws=(OperationalError,))
def consolidate() -> None:
    """The tallies are in the ledger. Once a minute keeps them few."""
    Ledger.objects.consolidate()


@shared_task(name="hitstream.operate", throws=(OperationalError, InterfaceError))
def operate() -> None:
    """What operators asked for goes on, chunk by chunk. It is called by itself while something is
    left, and by `dispatch` for what is new or what a worker died over: the bell that is rung for
    deliveries is rung for operations, too, beat rings it in any case, and all that it costs is one
    look into an index of what is not finished."""
    if run_operations(
        OPERATE_SECONDS, told=lambda operation: wake_dispatcher(), stopping=engine.stopping
    ):
        operate.apply_async(expires=EXPIRES)


@shared_task(name="hitstream.rollup", throws=(OperationalError, InterfaceError))
def rollup() -> None:
    """New hits are in the rollups of analytics, unless somebody else is at it."""
    with suppress(Busy):
        if rollup_job.run(SUMMARISE_SECONDS).is_behind:
            rollup.apply_async(expires=EXPIRES)


@shared_task(name="hitstream.maintain", throws=(OperationalError,))
def maintain() -> None:
    """Partitions lie ahead; dedup keys past their window and days past retention are gone."""
    maintenance.run()
    retention.prune()


@shared_task(name="hitstream.heartbeat", throws=(OperationalError, InterfaceError))
def heartbeat() -> None:
    """Beat is alive: nobody else asks for this."""
    Heartbeat.objects.beat("beat")


@shared_task(name="hitstream.evaluate_alerts", throws=(OperationalError, InterfaceError))
def evaluate_alerts() -> None:
    """What is wrong is an alert, and is told."""
    look()
    notify()


@worker_shutting_down.connect
def finish(**kwargs: object) -> None:
    """What is under way is finished, and nothing more is begun."""
    engine.stopping.set()
