"""What a page that polls shows instead of its session: signed, so that no table has to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.core import signing
from django.http import HttpRequest

from tracking.models.access.scope import Scope

SALT = "tracking.console.poll_token"
#: Seconds. Who may see no more is shown nothing more after that; the page then comes anew, with all
#: that is asked of whoever opens it.
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
        """That of the request; None where it is missing, forged or too old."""
        try:
            value = signing.loads(request.headers.get(HEADER, ""), salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            return None
        if value is None:
            return cls(Scope(None))
        return cls(Scope(frozenset(id for first, last in value for id in range(first, last + 1))))


def ranges(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of those that follow each other: servers take no header of 8 KB, and
    most of thousands of tokens are seen."""
    # Of such neighbours the difference from their places is the same.
    for _, group in groupby(enumerate(ids), key=lambda placed: placed[1] - placed[0]):
        run = [id for _, id in group]
        yield run[0], run[-1]
