"""The check of the roll-up against a plain count of the stored hits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking import db
from tracking.conf import conf
from tracking.events import TEST_EVENT, TEST_USER
from tracking.models.analytics.dimensions import HOUR
from tracking.models.analytics.watermark import ALL_TOKENS
from tracking.models.tokens.token import Token
from tracking.sql import OF_TOKEN, load

SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class RollupDifference:
    """An hour of a token in which the two counts differ."""

    token_id: int
    hour: str
    stored: int
    counted: int

    def __str__(self) -> str:
        return (
            f"Token {self.token_id}, {self.hour} UTC: {self.stored} stored, {self.counted} counted"
        )


def compare() -> Iterator[RollupDifference]:
    """Return the hours that differ, as far back as hits are kept. It reads every hit. Hits of a
    dropped day that a wrong clock put into a later day stay counted, and differ."""
    since = datetime(1, 1, 1, tzinfo=UTC)
    if conf.HIT_DAYS is not None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=conf.HIT_DAYS)
    parameters: dict[str, Any] = {
        "since": since,
        "dimension": HOUR,
        "test_event": TEST_EVENT,
        "test_user": TEST_USER,
        "watermark": ALL_TOKENS,
    }
    with db.write_cursor() as cursor:
        if not db.is_distributed():
            cursor.execute(SQL["compare"], parameters)
            yield from (RollupDifference(*row) for row in cursor.fetchall())
            return
        for token in Token.objects.values_list("pk", flat=True):
            own = {**parameters, "token": token, "watermark": token}
            cursor.execute(SQL["compare" + OF_TOKEN], own)
            yield from (RollupDifference(*row) for row in cursor.fetchall())
