"""What a page that polls shows instead of its session: signed, so that no table has to be asked."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest

from tracking.models.scope import Scope

SALT = "tracking.console.ticket"
#: Seconds. Who may see no more is shown nothing more after that; the page then comes anew, with all
#: that is asked of whoever opens it.
LIFE = 300
HEADER = "X-Hitstream-Ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    scope: Scope

    def sign(self) -> str:
        tokens = self.scope.token_ids
        return signing.dumps(None if tokens is None else sorted(tokens), salt=SALT, compress=True)

    @classmethod
    def of(cls, request: HttpRequest) -> Ticket | None:
        """That of the request; None where it is missing, forged or too old."""
        try:
            tokens = signing.loads(request.headers.get(HEADER, ""), salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            return None
        return cls(Scope(None if tokens is None else frozenset(tokens)))
