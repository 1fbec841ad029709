"""How many hits were refused, by token and code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tracking import process
from tracking.ingest.write.counter_buffer import CounterBuffer
from tracking.models import Tally
from tracking.models.ledger.ledger import TallyKind

#: The token of a sender without a valid token.
NOBODY = 0


class Refusals(CounterBuffer[tuple[int, str], int]):
    name = "hitstream-refusals"

    def note(self, token_id: int, code: str) -> None:
        """Count one refused hit of the token under this code."""
        self._note({(token_id, code): 1})

    def add(self, one: int, other: int) -> int:
        return one + other

    def save(self, counts: Mapping[tuple[int, str], int]) -> None:
        """Write the counts to the tallies of this hour."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        Tally.objects.bulk_create(
            Tally(hour=hour, token_id=token_id, kind=TallyKind.REFUSED, reason=code, count=count)
            for (token_id, code), count in counts.items()
        )


refusals = Refusals()
process.at_shutdown(refusals.write)
process.on_forget(refusals.forget)
