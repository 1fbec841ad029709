"""The ticket that a polling page sends instead of its session: signed, so that checking it reads no
table. A ticket whose tokens would take too much room in a header names the user instead, and the
tokens are looked up once for each ticket and process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from django.contrib.auth import get_user_model
from django.core import signing
from django.http import HttpRequest

from tracking.models.access.scope import Scope

SALT = "tracking.console.poll_token"
#: Maximum age in seconds. Revoked permissions take effect when it expires, because the page reloads
#: and is authorised again.
LIFE = 300
HEADER = "X-Hitstream-Ticket"
#: Characters of a ticket: servers refuse a header of 8 KB.
MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class PollToken:
    """`user_id` is the user of the scope."""

    scope: Scope
    user_id: int | None = None

    def sign(self) -> str:
        tokens = self.scope.token_ids
        value = None if tokens is None else list(ranges(sorted(tokens)))
        ticket = signing.dumps(value, salt=SALT, compress=True)
        if len(ticket) <= MAX_LENGTH or self.user_id is None:
            return ticket
        return signing.dumps(self.user_id, salt=SALT)

    @classmethod
    def of(cls, request: HttpRequest) -> PollToken | None:
        """Return the ticket of the request; None if it is missing, forged or expired."""
        ticket = request.headers.get(HEADER, "")
        try:
            value = signing.loads(ticket, salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            return None
        if value is None:
            return cls(Scope(None))
        if isinstance(value, int):
            return cls(scope_of(value, ticket), value)
        return cls(Scope(frozenset(id for first, last in value for id in range(first, last + 1))))


@lru_cache(maxsize=100)
def scope_of(user_id: int, ticket: str) -> Scope:
    """Return what the user sees, the same for the life of the ticket."""
    user = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
    return Scope.of(user) if user is not None else Scope(frozenset())


def ranges(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last id of each run of consecutive ids: most users see most of
    thousands of tokens."""
    # In a run of consecutive ids, the difference between id and position is constant.
    for _, group in groupby(enumerate(ids), key=lambda placed: placed[1] - placed[0]):
        run = [id for _, id in group]
        yield run[0], run[-1]
