"""Which hits a verb is about, as an operator asked for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

TIMES = ("since", "until")
WORDS = {
    "since": "since {}",
    "until": "before {}",
    "code": "code {}",
    "message": "“{}” in the message",
    "event": "event {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Empty ones leave nothing out. The times are of death for dead letters, else of arrival.

    `last` is the highest dead letter at the time of asking: what dies later is not meant. `reason`
    is what is put on record.
    """

    since: datetime | None = None
    until: datetime | None = None
    code: str = ""
    message: str = ""
    event: str = ""
    last: int | None = None
    reason: str = ""

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Criteria:
        times = {name: datetime.fromisoformat(stored[name]) for name in TIMES if name in stored}
        return cls(**{**stored, **times})

    def dump(self) -> dict[str, Any]:
        """As JSON, without the empty ones."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {**given, **{name: given[name].isoformat() for name in TIMES if name in given}}

    def __str__(self) -> str:
        """For an operator to read."""
        parts = []
        for name, words in WORDS.items():
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}"
            parts += [words.format(value)] if value else []
        return ", ".join(parts)
