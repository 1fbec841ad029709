"""The ticket that a polling page sends instead of its session: signed, so that checking it reads no
table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.core import signing
from django.http import HttpRequest

from tracking.models.access.scope import Scope

SALT = "tracking.console.poll_token"
#: Maximum age in seconds. Revoked permissions take effect when it expires, because the page reloads
#: and is authorised again.
LIFE = 300
HEADER = "X-Hitstream-Ticket"


@dataclass(frozen=True, slots=True)
class PollToken:
    scope: Scope

    def sign(self) -> str:
        tokens = self.scope.token_ids
        value = None if tokens is None else list(ranges(sorted(tokens)))
        return signing.dumps(value, salt=SALT, compress=True)

    @classmethod
    def of(cls, request: HttpRequest) -> PollToken | None:
        """Return the ticket of the request; None if it is missing, forged or expired."""
        try:
            value = signing.loads(request.headers.get(HEADER, ""), salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            return None
        if value is None:
            return cls(Scope(None))
        return cls(Scope(frozenset(id for first, last in value for id in range(first, last + 1))))


def ranges(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last id of each run of consecutive ids: servers refuse a header of 8
    KB, and most users see most of thousands of tokens."""
    # In a run of consecutive ids, the difference between id and position is constant.
    for _, group in groupby(enumerate(ids), key=lambda placed: placed[1] - placed[0]):
        run = [id for _, id in group]
        yield run[0], run[-1]
