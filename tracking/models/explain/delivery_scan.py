"""Walks through deliveries in the order of their hits, each within a budget of time.

No index answers every filter. A walk therefore reads rows in chunks, in the order of an index, and
the look-ups of a chunk's rows say which of them match. A walk that runs out of time has still seen
everything up to its last row, from where the next one goes on.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import OperationalError, connections, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value
from psycopg import errors

from tracking import db
from tracking.models.hits.hit import Hit

#: A delivery: the hit's id, and the integration's.
Key = tuple[UUID, int]
Row = tuple[UUID, int, bool]
#: Ids of hits, and the last hit that was looked at.
Hits = tuple[list[UUID], UUID]
COLUMNS = ("hit_id", "integration_id", "fits")
#: Reads the rows beyond a position: those that the first conditions select, and whether the others
#: hold for each; at most so many.
Read = Callable[[Key | None, Q, Q, int], list[Row]]
#: Rows of the first chunk, how much longer each further one is, and the longest.
FIRST, GROWTH, LONGEST = 100, 4, 5_000
#: The same of chunks that are read as they come; and hits whose deliveries are read at once.
WIDE, WIDEST = 2_000, 8_000
HITS = 1_000
#: Seconds that a walk may take longer to make a step at all, on a busy server.
GRACE = 2.0
#: The part of the remaining time that a read by index may take.
SHARE, WHOLE = 0.6, 1.0
#: Above all ids of integrations.
MOST = 2**62
LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


class OutOfTime(Exception):
    """The budget is used up. What the walk has yielded is all there is so far."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column of ids, and the function that returns which of them are wanted."""

    column: str
    among: Callable[[Set[UUID]], set[UUID]]

    def choose(self, ids: Set[UUID]) -> set[UUID]:
        return self.among(ids) if ids else set()


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows of one table with the columns `hit_id`, `integration_id` and `token_id`.

    `indexed` is the part of the filter that an index in the order of the hits answers, `narrow` a
    part for which Postgres may know a shorter way, and `fits` what is looked up for each row.
    `lookups` are looked up for all rows of a chunk at once.
    """

    rows: QuerySet[Any]
    indexed: Q
    narrow: Q
    fits: Q
    lookups: Sequence[Lookup] = ()

    def read(self, limit: int | None = None) -> list[Row]:
        """Return the rows, in their order."""
        columns = [*COLUMNS, *(lookup.column for lookup in self.lookups)]
        rows = self.rows.filter(self.indexed, self.narrow).annotate(fits=as_boolean(self.fits))
        found = list(rows.values_list(*columns)[:limit])
        wanted = [
            lookup.choose({row[place] for row in found if row[2]})
            for place, lookup in enumerate(self.lookups, len(COLUMNS))
        ]
        return [
            (hit_id, pk, fits and all(id in these for id, these in zip(ids, wanted, strict=True)))
            for hit_id, pk, fits, *ids in found
        ]


class Scan:
    """One walk, over hits from `first` to `last`: beyond `start`, the latest first, or with
    `upwards` the earliest first. It ends after so many seconds, but not before its first rows."""

    def __init__(
        self,
        *,
        first: UUID = LOWEST,
        last: UUID = HIGHEST,
        start: Key | None = None,
        upwards: bool = False,
        seconds: float,
    ) -> None:
        self.upwards, self.start = upwards, start
        self._sign = "" if upwards else "-"
        self._first, self._last = first, last
        self._ends = time.monotonic() + seconds
        self._grace = GRACE

    def merge(self, walks: Sequence[Iterator[tuple[Key, bool]]]) -> Iterator[tuple[Key, bool]]:
        """Yield each delivery of these walks once, in order, and whether it matches. Raises
        OutOfTime."""
        rows = heapq.merge(*walks, key=itemgetter(0), reverse=not self.upwards)
        for key, same in groupby(rows, key=itemgetter(0)):
            self._grace = 0.0
            yield key, any(fits for _, fits in same)

    def deliveries(self, source: RowSource) -> Iterator[tuple[Key, bool]]:
        """Yield the rows of the source, and whether each fits. Raises OutOfTime."""

        order = f"{self._sign}hit_id", f"{self._sign}integration_id"

        def read(position: Key | None, narrow: Q, fits: Q, limit: int) -> list[Row]:
            rows = source.rows.filter(self._beyond(position, "hit_id")).order_by(*order)
            return replace(source, rows=rows, narrow=narrow, fits=fits).read(limit)

        for hit_id, integration_id, fits in self._chunks(read, source.narrow, source.fits):
            yield (hit_id, integration_id), fits

    def hits_of(self, ways: Sequence[Q], narrow: Q) -> Iterator[Hits]:
        """Yield the hits that any of these ways leads to, in chunks. Raises OutOfTime."""
        return self._hits([self._hits_where(way, narrow) for way in ways])

    def _hits(self, walks: Sequence[Iterator[tuple[UUID, bool]]]) -> Iterator[Hits]:
        merged = heapq.merge(*walks, reverse=not self.upwards)
        size, ids, last = FIRST // 2, list[UUID](), LOWEST
        count = 0
        try:
            for (last, fits), _ in groupby(merged):
                count += 1
                if fits:
                    ids.append(last)
                if count >= size:
                    yield ids, last
                    size, ids, count = min(size * GROWTH, HITS), [], 0
        except OutOfTime:
            if count:
                yield ids, last
            raise
        if count:
            yield ids, last

    def deliveries_of_hits(
        self, chunks: Iterator[Hits], sources: Sequence[RowSource]
    ) -> Iterator[tuple[Key, bool]]:
        """Yield the deliveries of these hits. Raises OutOfTime."""
        for ids, last in chunks:
            found = self._deliveries_of(ids, sources) if ids else {}
            for key in sorted(found, reverse=not self.upwards):
                if self._is_beyond(key):
                    yield key, found[key]
            # The last hit has been looked at, whether it has a delivery or not.
            yield (last, MOST if self.upwards else -1), False

    def _deliveries_of(self, ids: list[UUID], sources: Sequence[RowSource]) -> dict[Key, bool]:
        bounds = Q(hit_id__in=ids, hit_id__gte=min(ids), hit_id__lte=max(ids))
        found: dict[Key, bool] = {}
        for source in sources:
            rows = source.rows.filter(bounds).order_by()
            read = replace(source, rows=rows).read
            for hit_id, integration_id, fits in self._in_time(read):
                key = hit_id, integration_id
                found[key] = found.get(key, False) or fits
        return found

    def _is_beyond(self, key: Key) -> bool:
        if self.start is None:
            return True
        return key > self.start if self.upwards else key < self.start

    def _hits_where(self, indexed: Q, narrow: Q) -> Iterator[tuple[UUID, bool]]:
        def read(position: Key | None, narrow: Q, fits: Q, limit: int) -> list[Row]:
            rows = Hit.objects.filter(self._beyond(position, "id"), indexed, narrow)
            named = rows.annotate(fits=as_boolean(fits)).order_by(f"{self._sign}id")
            return [(pk, 0, fits) for pk, fits in named.values_list("id", "fits")[:limit]]

        for hit_id, _, fits in self._chunks(read, narrow, Q()):
            yield hit_id, fits

    def _chunks(self, read: Read, narrow: Q, fits: Q) -> Iterator[Row]:
        """Yield the rows chunk by chunk. If Postgres does not find those that `narrow` leaves in a
        part of the time, the rows are read as they come, and `narrow` looked up. Raises
        OutOfTime."""
        position, limit, share, longest = self.start, FIRST, SHARE, LONGEST
        while True:
            chunk = partial(read, position, narrow, fits, limit)
            try:
                rows = self._in_time(chunk, share)
            except OutOfTime:
                if share == WHOLE:
                    raise
                narrow, fits, share, limit, longest = Q(), narrow & fits, WHOLE, WIDE, WIDEST
                continue
            if len(rows) < limit:
                yield from rows
                return
            # The other rows of the last delivery are in the next chunk.
            whole = [row for row in rows if row[:2] != rows[-1][:2]] or rows
            yield from whole
            position = whole[-1][:2]
            limit = min(limit * GROWTH, longest)

    def _beyond(self, position: Key | None, column: str) -> Q:
        bounds = Q(**{f"{column}__gte": self._first, f"{column}__lte": self._last})
        if position is None:
            return bounds
        hit_id, integration_id = position
        side = "gt" if self.upwards else "lt"
        bounds &= Q(**{f"{column}__{side}e": hit_id})
        if column == "id":
            return bounds
        later = Q(**{f"{column}__{side}": hit_id})
        return bounds & (later | Q(**{f"integration_id__{side}": integration_id}))

    def _in_time(self, read: Callable[[], list[Any]], share: float = WHOLE) -> list[Any]:
        left = self._ends - time.monotonic()
        left = left * share if share < WHOLE else left + self._grace
        if left <= 0:
            raise OutOfTime
        with bounded(left):
            return read()


def as_boolean(condition: Q) -> Any:
    return ExpressionWrapper(condition, BooleanField()) if condition else Value(True)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Let Postgres end the statements inside after so many seconds. Raises OutOfTime if it did."""
    alias = db.read_alias()
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            before = cursor.fetchone()[0]
            cursor.execute(SET_TIMEOUT, [str(max(1, int(seconds * 1000)))])
            yield
            # The transaction may be a part of a longer one.
            cursor.execute(SET_TIMEOUT, [before])
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise OutOfTime from error
        raise


SET_TIMEOUT = "SELECT set_config('statement_timeout', %s, true)"
