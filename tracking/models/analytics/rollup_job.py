"""The roll-up: hits are counted once, in the order of their ids, however late they are committed.

A pass looks at one snapshot. It counts the hits that come after the watermark, up to some seconds
ago, and those before it that are marked late (`late_arrivals`); it deletes the marks of
both, and moves the watermark. A hit with a mark is counted by the first pass that sees it, which
takes the mark away; one without is seen by the pass that goes over its id. All of a pass is
committed or nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from tracking.models.analytics import late_arrivals
from tracking.models.analytics.dimensions import MAX_NAMES, MAX_VALUES
from tracking.models.analytics.watermark import NOBODY, Busy, Watermark
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: Hits that one pass counts, and as many late ones.
PASS = 20_000

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class RollupPass:
    """What a pass came to: how many hits, and whether there are more."""

    hits: int
    is_behind: bool


def run(seconds: float) -> RollupPass:
    """Pass after pass, until everything is counted or the time is over. Raises Busy."""
    ends, hits = time.monotonic() + seconds, 0
    while True:
        counted = run_pass()
        hits += counted.hits
        if not counted.is_behind or time.monotonic() >= ends:
            return RollupPass(hits, counted.is_behind)


def catch_up() -> int:
    """Everything is counted, by whomever; how many hits by us."""
    hits = 0
    while True:
        try:
            counted = run_pass()
        except Busy:
            time.sleep(0.1)
            continue
        hits += counted.hits
        if not counted.is_behind:
            return hits


def run_pass() -> RollupPass:
    """The next hits are counted. Raises Busy if somebody else counts now."""
    with Watermark.objects.hold() as cursor:
        return count_next(cursor)


def count_next(cursor: CursorWrapper) -> RollupPass:
    """The same, in the transaction that holds the watermark."""
    cursor.execute(SQL["make_watermark"], {"position": NOBODY})
    cursor.execute(SQL["read_watermark"])
    first, now = cursor.fetchone()
    settled = first_uuid7(now - late_arrivals.lag())
    last, is_behind = end_of_pass(cursor, first, settled)
    cursor.execute(SQL["unmark"], {"first": first, "last": last, "pass": PASS})
    marked = [hit_id for (hit_id,) in cursor.fetchall()]
    ids = {"oldest": min(marked, default=NOBODY), "newest": max(marked, default=NOBODY)}
    cursor.execute(SQL["set_planner"])
    limits = {"max_names": MAX_NAMES, "max_values": MAX_VALUES}
    parameters = {"first": first, "last": last, "late": marked, **ids, **limits}
    cursor.execute(SQL["count_hits"], parameters)
    (hits,) = cursor.fetchone()
    cursor.execute(SQL["move_watermark"], {"position": last})
    return RollupPass(hits, is_behind or len(marked) == PASS)


def end_of_pass(cursor: CursorWrapper, first: UUID, settled: UUID) -> tuple[UUID, bool]:
    """The last id of the pass, and whether it is that of a hit, with others after it. The
    watermark goes back with no clock."""
    cursor.execute(SQL["end_of_pass"], {"first": first, "settled": settled, "offset": PASS - 1})
    found = cursor.fetchone()
    return (found[0], True) if found else (max(first, settled), False)


def forget_all() -> None:
    """Nothing is counted: all that is still stored will be, from the first hit on. The marks stay,
    and go with the hits they mark. Raises OperationalError, and changes nothing, behind somebody
    who reads the counts for long: pages would queue behind us."""
    with Watermark.objects.hold(wait=True) as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("TRUNCATE hitstream_rollup, hitstream_visitor")
        cursor.execute(SQL["move_watermark"], {"position": NOBODY})
