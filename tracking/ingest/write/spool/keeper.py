"""The thread of the spool: it notices that Postgres is back, and one process of the node keeps it.

The keeper stores what is spooled, those of dead processes included, saves the known tokens, and
reports to Postgres what the console and the alerts show.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO

import psycopg

from tracking import db
from tracking.connection import OwnConnection
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.connection import connect, has_news
from tracking.ingest.write.readiness import why_not_ready
from tracking.ingest.write.spool.drain import Drain
from tracking.ingest.write.spool.folder import Folder
from tracking.ingest.write.spool.journal import Journal
from tracking.ingest.write.spool.presence import Presence
from tracking.ingest.write.spool.report import report
from tracking.ingest.write.spool.status import Meter

logger = logging.getLogger(__name__)

#: Seconds between two looks: at Postgres while it is away, at segments and the keeper's lock.
INTERVAL = 0.5
#: Seconds after an error before the keeper tries again.
PAUSE = 1.0
#: Seconds between two copies of the known tokens. A copy is fast, so a revoked token is known
#: within ten seconds.
SAVE_EVERY = 5.0
#: Seconds between two reports of an empty spool, of one with hits, and two lines in the log.
REPORT_EVERY, REPORT_FILLED_EVERY, LOG_EVERY = 60.0, 2.0, 30.0
#: Seconds for which hits are stored before anything else has its turn.
TURN = 1.0

#: What the keeper does every SAVE_EVERY seconds: a layer above registers how tokens are saved.
savers: list[Callable[[OwnConnection, Folder], None]] = []


class Keeper:
    def __init__(self, folder: Folder, journal: Journal, presence: Presence) -> None:
        self._folder = folder
        self._presence = presence
        self._journal = journal
        self._meter = Meter(folder)
        self._drain = Drain(folder, self._put_back)
        self._lock: BinaryIO | None = None
        self._connection: OwnConnection | None = None
        self._due = dict.fromkeys(("save", "report", "log", "work"), 0.0)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hitstream-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and give up the lock."""
        self._ends.set()
        self._thread.join(TURN + PAUSE)

    def abandon(self) -> None:
        """Close the files of another process, after a fork. Its thread is not there any more, and
        its locks may never be free again."""
        self._drain.abandon()
        if self._lock is not None:
            self._lock.close()

    def _run(self) -> None:
        while not self._ends.is_set():
            try:
                self._turn()
            except (psycopg.OperationalError, psycopg.InternalError) as error:
                logger.debug("The spool waits for Postgres: %s", error)
                self._rest()
            except Exception:
                logger.exception("The spool cannot be stored")
                self._rest()
            self._ends.wait(INTERVAL)
        self._drain.close()
        self._disconnect()
        if self._lock is not None:
            self._lock.close()

    def _rest(self) -> None:
        self._disconnect()
        self._due["work"] = time.monotonic() + PAUSE

    def _turn(self) -> None:
        if self._presence.is_away and not why_not_ready():
            self._presence.regain()
        if self._lock is None:
            self._lock = self._folder.keep()
        if self._lock is None:
            return
        if self._is_due("log", LOG_EVERY):
            self._log()
        if time.monotonic() >= self._due["work"]:
            self._work()

    def _work(self) -> None:
        """Do what the keeper has to do in Postgres. Raises psycopg's errors."""
        if self._presence.is_away:
            return
        while not self._ends.is_set():
            if self._is_due("save", SAVE_EVERY):
                for save in savers:
                    save(self._connected(), self._folder)
            more = self._store()
            if self._is_due("report", REPORT_FILLED_EVERY if more else REPORT_EVERY):
                report(self._connected(), self._meter.measure())
            if not more:
                return

    def _store(self) -> bool:
        """Store hits for a moment. Returns whether there are more."""
        if not self._folder.segments():
            return False
        ends, before = time.monotonic() + TURN, self._drain.stored
        more = True
        while more and time.monotonic() < ends and not self._ends.is_set():
            more = self._drain.step(self._connected())
        if (stored := self._drain.stored - before) or not more:
            # The console has to show an empty spool, too.
            self._due["report"] = min(self._due["report"], time.monotonic() + REPORT_FILLED_EVERY)
            if stored:
                logger.info("Stored %s spooled hits", stored)
        return more

    def _put_back(self, arrivals: Sequence[Arrival]) -> None:
        """Append hits to the journal again. Raises Unavailable."""
        self._journal.submit_all(arrivals, within=PAUSE)

    def _log(self) -> None:
        """Log that hits are spooled: while Postgres is away no alert can be stored."""
        if self._presence.is_away and (found := self._meter.measure()).hits:
            logger.error(
                "Postgres is away: %s hits are in the spool, %s of %s bytes (%.0f %%)",
                found.hits,
                found.bytes,
                found.limit,
                found.share * 100,
            )

    def _is_due(self, what: str, interval: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + interval
        return True

    def _connected(self) -> OwnConnection:
        if self._connection is not None and has_news(self._connection):
            self._disconnect()
        if self._connection is None:
            self._connection = connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        db.close()
