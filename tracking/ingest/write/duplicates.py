"""How often a known hitId arrived again, and when last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from tracking import process
from tracking.ingest.parse.arrival import Arrival
from tracking.ingest.write.counter_buffer import CounterBuffer
from tracking.models.hits.duplicate import Duplicate, DuplicateCount

#: Different hitIds between two writes; duplicates of further ones are not counted.
MOST = 10_000


class Duplicates(CounterBuffer[tuple[int, UUID], DuplicateCount]):
    name = "hitstream-duplicates"

    def note(self, arrivals: Iterable[Arrival]) -> None:
        """Count the arrivals as duplicates of stored hits. An id that Hitstream made has no
        duplicates."""
        found: dict[tuple[int, UUID], DuplicateCount] = {}
        for arrival in arrivals:
            if arrival.digest is not None:
                key, again = (arrival.token_id, arrival.digest), (1, arrival.received_at)
                found[key] = self.add(found[key], again) if key in found else again
        self._note(found, MOST)

    def note_among(self, batch: Iterable[Arrival], duplicate_ids: Collection[UUID]) -> None:
        """Count the arrivals of the batch with these ids as duplicates."""
        ids = frozenset(duplicate_ids)
        self.note(arrival for arrival in batch if arrival.id in ids)

    def add(self, one: DuplicateCount, other: DuplicateCount) -> DuplicateCount:
        return one[0] + other[0], max(one[1], other[1])

    def save(self, counts: Mapping[tuple[int, UUID], DuplicateCount]) -> None:
        """Write the counts beside the hits that were sent again."""
        Duplicate.objects.add(counts)


duplicates = Duplicates()
process.on_forget(duplicates.forget)
