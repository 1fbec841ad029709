"""The Celery tasks. The broker holds no truth: a lost message costs a little time, since everything
that is queued is in Postgres. A task that meets a dead database fails without a traceback: the next
task does its work."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error, InterfaceError, OperationalError

from tracking import db
from tracking.alerts.evaluate import evaluate as look
from tracking.alerts.notify import notify
from tracking.conf import conf
from tracking.delivery.engine import engine
from tracking.models import Heartbeat, Ledger, Operation
from tracking.models.analytics import rollup_job
from tracking.models.analytics.watermark import Busy
from tracking.models.operations.operation import run_operations
from tracking.models.upkeep import maintenance, retention
from tracking.wakeup import DISPATCH, publish, wake_dispatcher

logger = logging.getLogger(__name__)

#: Seconds for which one task runs operations; the next task continues.
OPERATE_SECONDS = 10.0
#: Seconds for which one task counts hits; while more remain, the next task continues.
SUMMARISE_SECONDS = 10.0
#: Seconds after which an operation that is ready counts as neglected: its worker died.
NEGLECTED = 3.0
#: Seconds between two heartbeats of one worker.
BEAT_SECONDS = 10.0


def call(name: str) -> None:
    """Let the task of that name continue. Without a broker beat's next call does."""
    try:
        publish(name)
    except Exception as error:
        logger.warning("The broker refused %s; beat calls it again: %s", name, error)


@shared_task(name=DISPATCH, bind=True, throws=(OperationalError, InterfaceError))
def dispatch(task: Task[..., None]) -> None:
    """Send what is due. In a worker it goes on until the next wake-up is allowed."""
    if task.request.called_directly or task.request.is_eager:
        engine.run()
        return
    Heartbeat.objects.beat("worker")
    if Operation.objects.neglected(NEGLECTED).exists():
        call("hitstream.operate")
    engine.run(
        linger=conf.WAKEUP_INTERVAL, again=lambda: call(DISPATCH), call_others=wake_dispatcher
    )


@shared_task(name="hitstream.consolidate", throws=(OperationalError,))
def consolidate() -> None:
    """Move the tallies into the ledger. Once a minute keeps them few."""
    Ledger.objects.consolidate()


@shared_task(name="hitstream.operate", throws=(OperationalError, InterfaceError))
def operate() -> None:
    """Run pending operations, chunk by chunk. The task calls itself while work remains; `dispatch`
    calls it for new operations and for those whose worker died. A wake-up for deliveries also
    serves operations, and beat calls `dispatch` in any case: it costs one look into an index of
    unfinished operations."""
    if run_operations(
        OPERATE_SECONDS, on_chunk=lambda operation: wake_dispatcher(), stopping=engine.stopping
    ):
        call("hitstream.operate")


@shared_task(name="hitstream.rollup", throws=(OperationalError, InterfaceError))
def rollup() -> None:
    """Count new hits for analytics, unless another process counts now."""
    with suppress(Busy):
        if rollup_job.run(SUMMARISE_SECONDS).is_behind:
            call("hitstream.rollup")


@shared_task(name="hitstream.maintain", throws=(OperationalError,))
def maintain() -> None:
    """Create partitions ahead; prune old dedup keys and days past retention."""
    with maintenance.left_to_the_owner():
        maintenance.make_partitions()
    maintenance.prune_rows()
    with maintenance.left_to_the_owner():
        retention.prune()


@shared_task(name="hitstream.heartbeat", throws=(OperationalError, InterfaceError))
def heartbeat() -> None:
    """Note that beat is alive: only beat schedules this task."""
    Heartbeat.objects.beat("beat")


@shared_task(name="hitstream.evaluate_alerts", throws=(OperationalError, InterfaceError))
def evaluate_alerts() -> None:
    """Evaluate the alert rules and send pending notifications."""
    look()
    notify()


@worker_ready.connect
def begin(sender: Any = None, **kwargs: object) -> None:
    """Beat for this worker, from a thread of its own, until it stops: messages reach some worker,
    not each."""
    name = f"worker {getattr(sender, 'hostname', '')}"[:255]
    threading.Thread(
        target=beat_until_stopped, args=(name,), name="hitstream-heartbeat", daemon=True
    ).start()


def beat_until_stopped(name: str) -> None:
    """Beat under that name; at the end take the name off the list."""
    try:
        while not engine.stopping.is_set():
            with suppress(Error):
                Heartbeat.objects.beat(name)
            db.close()
            engine.stopping.wait(BEAT_SECONDS)
        with suppress(Error):
            Heartbeat.objects.leave(name)
    finally:
        db.close()


@worker_shutting_down.connect
def finish(**kwargs: object) -> None:
    """Finish what is in flight and begin nothing more."""
    engine.stopping.set()
