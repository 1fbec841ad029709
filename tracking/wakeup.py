"""Wake the dispatcher: the worker then looks for due deliveries at once, not at the next sweep.

Web processes import this module and not `tracking.tasks`, which imports the delivery engine.
"""

from __future__ import annotations

import logging
import threading
import time

from celery import current_app
from django.db import transaction

from tracking import db, process
from tracking.conf import conf
from tracking.models import Wakeup

logger = logging.getLogger(__name__)

DISPATCH = "hitstream.dispatch"
#: Seconds after which a queued message is dropped: the periodic sweep has done its work by then.
EXPIRES = 15.0
#: Seconds within which a broker that confirms messages must do so.
CONFIRMED_WITHIN = 5.0


def publish(name: str) -> None:
    """Publish the task of that name; on a connection that has become useless, once more on a new
    one. The task runs in the worker, and in this process only under `always_eager`. Raises the
    transport's errors."""
    current_app.signature(name).apply_async(
        expires=EXPIRES,
        confirm_timeout=CONFIRMED_WITHIN,
        retry=True,
        retry_policy={"max_retries": 1, "interval_start": 0.0},
    )


class Waker:
    """Publishes `dispatch` from a thread of its own, since publishing to a dead broker takes long.

    Of any number of processes one publishes, at most once in WAKEUP_INTERVAL seconds.
    """

    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._warned = False

    def wake(self) -> None:
        """Wake the dispatcher soon; return at once."""
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(
                        target=self._run, name="hitstream-wakeup", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            if self._is_ours():
                self._publish()
                time.sleep(conf.WAKEUP_INTERVAL)

    def _is_ours(self) -> bool:
        """Wait until a wake-up is allowed. Returns False if another process published meanwhile."""
        wanted_at = time.monotonic()
        while True:
            ours, age = self._claim()
            if ours or age < time.monotonic() - wanted_at:
                return ours
            time.sleep(max(0.01, conf.WAKEUP_INTERVAL - age))

    def _claim(self) -> tuple[bool, float]:
        """Return what `Wakeup.objects.claim` returns. Without a database the claim succeeds: one
        wake-up too many is harmless."""
        try:
            return Wakeup.objects.claim(conf.WAKEUP_INTERVAL)
        except Exception as error:
            logger.debug("Woke the dispatcher without the other processes' consent: %s", error)
            return True, 0.0
        finally:
            db.close()

    def _publish(self) -> None:
        try:
            publish(DISPATCH)
            self._warned = False
        except Exception as error:
            # One warning: a project that lives by `manage.py sweep` has no broker at all.
            log = logger.debug if self._warned else logger.warning
            log("The broker refused the wake-up; the next sweep delivers instead: %s", error)
            self._warned = True


waker = Waker()


def wake_dispatcher() -> None:
    """Wake the dispatcher soon; return at once."""
    waker.wake()


def wake_dispatcher_on_commit() -> None:
    """Wake the dispatcher once the present transaction is committed, or at once without one."""
    transaction.on_commit(lambda: wake_dispatcher(), using=db.write_alias())
