"""Many hits in one request: each is stored or refused by itself, and the answer says which.

In: the JSON texts of the hits. Out: an ItemResult for each, in their order, once everything that
can be stored is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracking.ingest.errors import BadRequest, IngestError, Unavailable
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write import fanout
from tracking.ingest.write.outcome import Stored
from tracking.ingest.write.refusals import refusals
from tracking.ingest.write.refused_samples import samples
from tracking.ingest.write.spool import spool

Read = Callable[[bytes], Arrival]

#: Segment's limit, too. A few bytes of gzip could hold a million hits, each with a result of its
#: own.
MAX_HITS = 2_500


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of the hit at `index`. `error` is set if it was refused."""

    index: int
    hit_id: str = ""
    stored: Stored | None = None
    error: IngestError | None = None

    def describe(self) -> dict[str, Any]:
        """Return the result as answers to batches show it."""
        if self.error is None:
            status = self.stored.value if self.stored else ""
            return {"index": self.index, "hitId": self.hit_id, "status": status}
        refusal = {"code": self.error.code, "message": self.error.message}
        return {"index": self.index, "status": "refused", **refusal}


def check_count(count: int) -> None:
    """Raise BadRequest for an empty batch, and for more hits than can be stored in time."""
    if not count:
        raise BadRequest("batch_empty", "There is no hit in the batch.")
    if count > MAX_HITS:
        raise BadRequest(
            "batch_too_large", f"The batch is {count:,} hits; the limit is {MAX_HITS:,}."
        )


def read_all(hits: Iterable[bytes], read: Read, limit: int) -> list[Arrival | IngestError]:
    """Parse each hit, or say why it is refused; a hit of more than `limit` bytes is not parsed."""
    return [_read(hit, read, limit) for hit in hits]


def _read(hit: bytes, read: Read, limit: int) -> Arrival | IngestError:
    if len(hit) > limit:
        return BadRequest("hit_too_large", f"It is {len(hit):,} bytes; the limit is {limit:,}.")
    try:
        return read(hit)
    except BadRequest as error:
        return error


def store_all(
    found: Sequence[Arrival | IngestError],
    token_id: int,
    hits: Sequence[bytes],
    environ: Mapping[str, Any],
) -> list[ItemResult]:
    """Commit or refuse every arrival, count each refusal, and keep samples of the refused `hits`.
    Raises Unavailable if one outcome is
    unknown: sending all again is harmless for hits with a hitId."""
    arrivals = [each for each in found if isinstance(each, Arrival)]
    results = list(conclude(found, store_in_parts(arrivals, fanout.hits_at_once(token_id))))
    for result in results:
        if isinstance(result.error, Unavailable):
            raise result.error
    for result in results:
        if result.error is not None:
            refusals.note(token_id, result.error.code)
            samples.note(token_id, result.error, environ, hits[result.index])
    return results


def store_in_parts(arrivals: Sequence[Arrival], size: int) -> Iterator[Stored | Exception]:
    """Commit the arrivals, `size` at a time, and yield the outcome of each. Each part has the
    deadline of a request to itself, and hits of other senders are stored between two parts. Raises
    Unavailable: what is stored by then stays so."""
    for start in range(0, len(arrivals), size):
        yield from spool.submit_all(arrivals[start : start + size])


def conclude(
    found: Sequence[Arrival | IngestError], outcomes: Iterator[Stored | Exception]
) -> Iterator[ItemResult]:
    """Return the results by index; the outcomes are in the order of the arrivals."""
    for index, each in enumerate(found):
        if isinstance(each, IngestError):
            yield ItemResult(index, error=each)
            continue
        outcome = next(outcomes)
        if isinstance(outcome, IngestError):
            yield ItemResult(index, each.hit_id, error=outcome)
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            yield ItemResult(index, each.hit_id, outcome)
