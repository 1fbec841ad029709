"""The roll-up job: counts each hit once, in the order of ids, however late the hit is committed.

A pass reads one snapshot. It counts the hits after the watermark, up to some seconds ago, and those
before it that are marked late (`late_arrivals`); it deletes the marks of both, and moves the
watermark. The first pass that sees a marked hit counts it and removes its mark; the pass that moves
over the id counts a hit without a mark. A pass is committed whole or not at all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.backends.utils import CursorWrapper

from tracking import db
from tracking.events import TEST_EVENT, TEST_USER
from tracking.models.analytics import late_arrivals
from tracking.models.analytics.dimensions import MAX_NAMES, MAX_VALUES
from tracking.models.analytics.watermark import ALL_TOKENS, NOBODY, Busy, Watermark
from tracking.models.tokens.token import Token
from tracking.sql import OF_TOKEN, load
from tracking.uuid7 import first_uuid7

#: Hits that one pass counts, and late hits besides.
PASS = 20_000

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class RollupPass:
    """The result of a pass: how many hits it counted, and whether more remain."""

    hits: int
    is_behind: bool


def run(seconds: float) -> RollupPass:
    """Run passes until everything is counted or the time is over. Raises Busy."""
    ends, hits = time.monotonic() + seconds, 0
    while True:
        counted = run_pass()
        hits += counted.hits
        if not counted.is_behind or time.monotonic() >= ends:
            return RollupPass(hits, counted.is_behind)


def catch_up() -> int:
    """Wait until everything is counted, by this process or another. Returns how many hits this one
    counted."""
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
    """Count the next hits. Raises Busy if another process counts now."""
    with Watermark.objects.hold() as cursor:
        if not db.is_distributed():
            return count_next(cursor)
        passes = [count_next(cursor, token) for token in Token.objects.values_list("pk", flat=True)]
        return RollupPass(sum(each.hits for each in passes), any(each.is_behind for each in passes))


def count_next(cursor: CursorWrapper, token: int = ALL_TOKENS) -> RollupPass:
    """Count the next hits, of this token or of all, in the transaction of `hold`."""
    run = partial(_run, cursor, token)
    run("make_watermark", position=NOBODY)
    run("read_watermark")
    first, now = cursor.fetchone()
    settled = first_uuid7(now - late_arrivals.lag())
    run("end_of_pass", first=first, settled=settled, offset=PASS - 1)
    found = cursor.fetchone()
    # The watermark never goes back, whatever the clock does.
    last = found[0] if found else max(first, settled)
    run("unmark", first=first, last=last, pass_size=PASS)
    marked = [hit_id for (hit_id,) in cursor.fetchall()]
    ids = {"oldest": min(marked, default=NOBODY), "newest": max(marked, default=NOBODY)}
    cursor.execute(SQL["set_planner"])
    limits = {"max_names": MAX_NAMES, "max_values": MAX_VALUES}
    test = {"test_event": TEST_EVENT, "test_user": TEST_USER}
    run("count_hits", first=first, last=last, late=marked, **ids, **limits, **test)
    (hits,) = cursor.fetchone()
    run("move_watermark", position=last)
    return RollupPass(hits, found is not None or len(marked) == PASS)


def _run(cursor: CursorWrapper, token: int, name: str, **parameters: Any) -> None:
    """Run the statement for all tokens, or for one."""
    statement = SQL[name] if token == ALL_TOKENS else SQL.get(name + OF_TOKEN, SQL[name])
    cursor.execute(statement, {**parameters, "watermark": token, "token": token})


def forget_all() -> None:
    """Drop all counts: the job counts every stored hit again. The marks stay, and go with their
    hits. Raises OperationalError, and changes nothing, behind a long reader of the counts: pages
    would queue behind this transaction."""
    with Watermark.objects.hold(wait=True) as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("TRUNCATE hitstream_rollup, hitstream_visitor")
        cursor.execute(SQL["forget_watermarks"], {"position": NOBODY})
