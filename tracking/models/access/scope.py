"""The tokens that a user may see, and with them their hits, integrations and deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from tracking.models.tokens.token import Token

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True)
class Scope:
    """`token_ids` is None for all tokens, present and future."""

    token_ids: frozenset[int] | None

    @classmethod
    def of(cls, user: Any) -> Scope:
        """Return the scope of the user: all tokens, except those restricted to groups that the
        user, if no superuser, is not in."""
        if user.is_superuser or not Token.objects.exclude(audience=[]).exists():
            return cls(None)
        groups = getattr(user, "groups", None)
        names = list(groups.values_list("name", flat=True)) if groups else []
        seen = Token.objects.filter(Q(audience=[]) | Q(audience__overlap=names))
        return cls(frozenset(seen.values_list("pk", flat=True)))

    @property
    def is_all(self) -> bool:
        return self.token_ids is None

    def sees(self, token_id: int) -> bool:
        return self.token_ids is None or token_id in self.token_ids

    def limit(self, rows: Rows, lookup: str = "token") -> Rows:
        """Return the rows whose token, by that lookup, is within the scope."""
        if self.token_ids is None:
            return rows
        return rows.filter(**{f"{lookup}__in": sorted(self.token_ids)})
