"""How many hits were refused, by token and code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tracking import process
from tracking.ingest.write.counter_buffer import CounterBuffer
from tracking.models import Tally
from tracking.models.ledger.ledger import TallyKind
from tracking.uuid7 import quarter_hour_of

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
        """Write the counts to the tallies of this quarter of an hour."""
        now = quarter_hour_of(datetime.now(UTC))
        Tally.objects.bulk_create(
            Tally(
                quarter_hour=now,
                token_id=token_id,
                kind=TallyKind.REFUSED,
                reason=code,
                count=count,
            )
            for (token_id, code), count in counts.items()
        )


refusals = Refusals()
process.at_shutdown(refusals.write)
process.on_forget(refusals.forget)
