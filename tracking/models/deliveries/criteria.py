"""The criteria that select the hits of an operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

TIMES = ("since", "until", "received_since", "received_until")
WORDS = {
    "since": gettext_noop("since %(value)s"),
    "until": gettext_noop("before %(value)s"),
    "code": gettext_noop("code %(value)s"),
    "message": gettext_noop("“%(value)s” in the message"),
    "event": gettext_noop("event %(value)s"),
    "received_since": gettext_noop("received since %(value)s"),
    "received_until": gettext_noop("received before %(value)s"),
    "user": gettext_noop("user %(value)s"),
    "status": gettext_noop("HTTP code %(value)s"),
    "answer": gettext_noop("“%(value)s” in the response"),
    "attempts": gettext_noop("at least %(value)s attempts"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Empty criteria exclude nothing. For dead letters the times are those of the failure, else of
    arrival; `received_since` and `received_until` are always those of arrival. The last four are
    those of `tracking.models.deliveries.conditions`, for dead letters alone.

    `last` is the highest dead letter at the time of the request, which excludes later ones.
    `reason` goes on record.
    """

    since: datetime | None = None
    until: datetime | None = None
    code: str = ""
    message: str = ""
    event: str = ""
    received_since: datetime | None = None
    received_until: datetime | None = None
    user: str = ""
    status: str = ""
    answer: str = ""
    attempts: int | None = None
    last: int | None = None
    reason: str = ""

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Criteria:
        times = {name: datetime.fromisoformat(stored[name]) for name in TIMES if name in stored}
        return cls(**{**stored, **times})

    def dump(self) -> dict[str, Any]:
        """Return the criteria as JSON, without empty ones."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {**given, **{name: given[name].isoformat() for name in TIMES if name in given}}

    def __str__(self) -> str:
        """Describe the criteria for a record."""
        return ", ".join(WORDS[name] % {"value": value} for name, value in self._given())

    @property
    def shown(self) -> str:
        """The criteria in the language of the page."""
        return ", ".join(gettext(WORDS[name]) % {"value": value} for name, value in self._given())

    def _given(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the text of each criterion that excludes something."""
        for name in WORDS:
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}"
            if value:
                yield name, value
