"""The spool of this process, where the setting SPOOL names a folder, and the ways into it.

`hand`, `submit` and `submit_all` store arrivals in Postgres, and where it is away in the journal.
Without the setting they are those of the writers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from tracking import process
from tracking.conf import conf
from tracking.ingest.errors import Contended, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.loop_writer import loop_writer
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.pending_item import PendingItem
from tracking.ingest.write.spool.folder import Folder
from tracking.ingest.write.spool.journal import Journal, JournalItem
from tracking.ingest.write.spool.keeper import Keeper
from tracking.ingest.write.spool.presence import Presence
from tracking.ingest.write.spool.status import Meter
from tracking.ingest.write.store import writer

logger = logging.getLogger(__name__)

#: Seconds between two attempts to open a folder that cannot be used.
TRY_EVERY = 10.0


class Spool:
    def __init__(self, path: str, limit: int) -> None:
        """Open the folder and start the keeper's thread. Raises OSError."""
        self.folder = Folder(path, limit)
        self.presence = Presence()
        self.journal = Journal(self.folder, self.presence, self._expire)
        self.journal.start()
        self.meter = Meter(self.folder)
        self._keeper = Keeper(self.folder, self.journal, self.presence)
        self._keeper.start()
        self._taken_back_at = 0.0

    def hand(self, arrival: Arrival, then: Callable[[], None]) -> PendingItem[Arrival, Stored]:
        """Do what the LoopWriter's `hand` does, with the journal behind it."""
        item = JournalItem(arrival, then, self.journal)
        if self.presence.is_away:
            item.spool()
            return item
        try:
            loop_writer.take(item)
        except Unavailable as error:
            item.settle(error)
        return item

    def submit_all(self, arrivals: Sequence[Arrival]) -> list[Stored | Exception]:
        """Return the outcome of each arrival. Raises Unavailable if one is neither committed nor in
        the journal."""
        outcomes: list[Stored | Exception] = [Unavailable()] * len(arrivals)
        if not self.presence.is_away:
            try:
                outcomes = writer.submit_all(arrivals, within=conf.SPOOL_AFTER)
            except Unavailable:
                self.presence.lose()
        left = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, Unavailable)]
        if not left:
            return outcomes
        if any(not isinstance(outcomes[at], Contended) for at in left):
            self.presence.lose()
        self.journal.submit_all([arrivals[at] for at in left], within=conf.REQUEST_DEADLINE)
        for at in left:
            outcomes[at] = Stored.NEW
        return outcomes

    def _expire(self) -> None:
        """Take from the writers what they have held for SPOOL_AFTER seconds, and what waits
        behind it."""
        now = time.monotonic()
        until = now - conf.SPOOL_AFTER
        if is_overdue(loop_writer.oldest(), until):
            loop_writer.give_up()
        in_flight, busy_since = writer.in_flight, writer.busy_since
        is_stuck = busy_since is not None and max(busy_since, self._taken_back_at) < until
        if is_stuck or any(is_overdue(item, until) for item in in_flight):
            self._taken_back_at = now
            for item in (*in_flight, *writer.take_back()):
                if isinstance(item, JournalItem):
                    item.settle(Unavailable())
                else:
                    # Its caller has a deadline of its own.
                    item.abandoned = True

    def can_take(self) -> bool:
        """Return whether the next hit would find room and a disk that works."""
        return not self.journal.has_failed and self.journal.has_room()

    def close(self) -> None:
        """Write what waits, and leave the segments to other processes."""
        self.journal.drain()
        self._keeper.stop()

    def abandon(self) -> None:
        self.journal.abandon()
        self._keeper.abandon()


def is_overdue(item: PendingItem[Arrival, Stored] | None, until: float) -> bool:
    return isinstance(item, JournalItem) and not item.is_ended and item.begun_at < until


_opening = threading.Lock()
_current: Spool | None = None
_try_after = 0.0


def current() -> Spool | None:
    """Return the spool of this process; None without the setting, and while its folder cannot be
    used."""
    if not conf.SPOOL:
        return None
    return _current or _open()


def _open() -> Spool | None:
    global _current, _try_after
    with _opening:
        if _current is None and time.monotonic() >= _try_after:
            try:
                _current = Spool(conf.SPOOL, conf.SPOOL_BYTES)
            except OSError as error:
                _try_after = time.monotonic() + TRY_EVERY
                logger.error("There is no spool: its folder cannot be used: %s", error)
        return _current


def is_postgres_away() -> bool:
    """Return whether hits go straight to the spool."""
    return _current is not None and _current.presence.is_away


def hand(arrival: Arrival, then: Callable[[], None]) -> PendingItem[Arrival, Stored]:
    """Store the arrival soon, and call `then`. Call it on the loop. Raises Unavailable."""
    spool = current()
    return loop_writer.hand(arrival, then) if spool is None else spool.hand(arrival, then)


def submit(arrival: Arrival) -> Stored:
    """Store the arrival. Raises Unavailable or BadRequest."""
    spool = current()
    if spool is None:
        return writer.submit(arrival, within=conf.REQUEST_DEADLINE)
    (outcome,) = spool.submit_all([arrival])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def submit_all(arrivals: Sequence[Arrival]) -> list[Stored | Exception]:
    """Store the arrivals, and return the outcome of each. Raises Unavailable."""
    spool = current()
    if spool is None:
        return writer.submit_all(arrivals, within=conf.REQUEST_DEADLINE)
    return spool.submit_all(arrivals)


def close() -> None:
    """Close the spool of this process; the next hit opens it again."""
    global _current, _try_after
    spool, _current, _try_after = _current, None, 0.0
    if spool is not None:
        spool.close()


def _abandon() -> None:
    global _current, _opening
    spool, _current = _current, None
    _opening = threading.Lock()
    if spool is not None:
        spool.abandon()


process.after_fork(_abandon)
# After the writers, which may still hand over hits.
process.at_shutdown(close)
process.on_forget(close)
