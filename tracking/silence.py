"""Django's connections leave a primary that does not answer any more.

TCP notices after half a minute that a server is gone without a word. A proxy in between hides it:
the proxy confirms every byte, and a statement or its commit waits for ever. So a thread looks at
what waits for long, and asks the primary, on a connection of its own, whether it runs a statement
of this role that is about as old. If it does not, the thread ends the connection that waits: the
statement raises OperationalError, as where the server closes the connection.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connections
from psycopg.pq import TransactionStatus

from tracking import db, process
from tracking.connection import connect, cut
from tracking.sql import load

logger = logging.getLogger(__name__)

SQL = load(__file__)
#: Seconds without an answer, after which the thread asks the primary.
SILENT_SECONDS = 30.0
#: The part of them for which a statement must have run on the primary to be the one that waits: it
#: may have waited for a pooler before.
RUNNING = 0.5
LOOK_SECONDS = 5.0
#: Seconds that the primary has to answer the question.
ANSWER_SECONDS = 5.0


class Wait:
    """Counts the statements of a connection to Postgres, and times the wait for the last."""

    def __init__(self) -> None:
        self.count = self._looked_at = 0
        self._since: float | None = None

    def seconds(self, connection: psycopg.Connection[Any]) -> float:
        """Return how long the last statement, its commit, or the check of an idle connection has
        waited since it was first looked at; 0 if nothing waits."""
        count, now = self.count, time.monotonic()
        if connection.info.transaction_status != TransactionStatus.ACTIVE:
            self._since = None
            return 0.0
        if self._since is None or count != self._looked_at:
            self._looked_at, self._since = count, now
        return now - self._since


def silent_of(
    waits: Sequence[tuple[psycopg.Connection[Any], Wait]],
) -> list[psycopg.Connection[Any]]:
    """Return the connections whose last statement has waited too long."""
    return [
        connection
        for connection, wait in waits
        if not connection.closed and wait.seconds(connection) >= SILENT_SECONDS
    ]


class Watch:
    """The thread of this process, and the connections that it looks at."""

    def __init__(self) -> None:
        self._reset()
        process.after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        #: Those that wait in a pool are among them.
        self._waits: WeakKeyDictionary[psycopg.Connection[Any], Wait] = WeakKeyDictionary()
        self._thread: threading.Thread | None = None

    def add(self, connection: Any) -> None:
        """Look from now on at the connection to Postgres that this one of Django has."""
        with self._lock:
            self._waits.setdefault(connection.connection, Wait())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="silence", daemon=True)
                self._thread.start()
        if self.count not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.count)

    def count(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        """Count the statement and run it: the answer to the one before has come."""
        wait = self._waits.get(context["connection"].connection)
        if wait is not None:
            wait.count += 1
        return execute(sql, params, many, context)

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:
                logger.exception("Silent connections are not looked for")

    def look(self) -> None:
        """End the connections that wait for an answer that cannot come, and those of the pool."""
        with self._lock:
            waits = list(self._waits.items())
        if not silent_of(waits) or self._may_run():
            return
        # The question takes time, in which an answer may have come.
        if not (silent := silent_of(waits)):
            return
        logger.warning(
            "Postgres has not answered %s statements for %.0f s, and does not run them: their "
            "connections are closed.",
            len(silent),
            SILENT_SECONDS,
        )
        for connection in silent:
            with suppress(OSError, psycopg.Error):
                cut(connection)
        primary: Any = connections[db.write_alias()]
        if primary.pool:
            primary.pool.drain()

    def _may_run(self) -> bool:
        """Return whether the primary may run what waits; it may while it does not answer either."""
        try:
            with connect(statement_timeout=ANSWER_SECONDS) as connection:
                seconds = SILENT_SECONDS * RUNNING
                ((runs,),) = connection.execute(SQL["runs"], {"seconds": seconds}).fetchall()
                return bool(runs)
        except psycopg.Error:
            return True


watch = Watch()
