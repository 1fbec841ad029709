"""A search for hits by exact match: their hitId, their Hitstream ID, or the ids of a person. Each
has its own index; one condition over all of them would sort the million hits of a bot.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import CharField, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from tracking.models.access.scope import Scope
from tracking.models.deliveries.delivery import Delivery, present
from tracking.models.hits.hit import Hit, digest_of_email

#: For each kind of identifier, the maximum of hits shown, the newest; and, for users who do not see
#: all tokens, the number of hits that are searched for theirs: a filter could read all hits of a
#: bot for nothing.
SHOWN, REACH = 50, 2_000
HITSTREAM_ID, HIT_ID = "Hitstream ID", "hitId"
#: The kinds of identifier, as people read them.
LABELS = {
    HITSTREAM_ID: _("Hitstream ID"),
    HIT_ID: _("hitId"),
    "user id": _("user id"),
    "anonymous id": _("anonymous id"),
    "e-mail hash": _("e-mail hash"),
    "e-mail": _("e-mail"),
    "SHA-256 of the e-mail": _("SHA-256 of the e-mail"),
    "MD5 of the e-mail": _("MD5 of the e-mail"),
}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A hit, the kinds of identifier that matched, and its deliveries."""

    hit: Hit
    kinds: tuple[str, ...]
    deliveries: tuple[Delivery, ...]

    @property
    def labels(self) -> list[str]:
        """The kinds, as people read them."""
        return [str(LABELS[kind]) for kind in self.kinds]

    @property
    def is_by_id(self) -> bool:
        """Whether the term names the hit, not a person."""
        return bool({HITSTREAM_ID, HIT_ID} & set(self.kinds))


def search(term: str, scope: Scope) -> list[SearchResult]:
    """Return the matching hits in the order in which they occurred, the newest first. An e-mail
    address is found as it was sent, in whatever case, and by its SHA-256 and MD5."""
    # As the database stores it.
    term = term.strip().replace("\0", "\ufffd")
    if not term:
        return []
    kinds: dict[UUID, list[str]] = {}
    for kind, hit_id in _rows(term, scope):
        kinds.setdefault(hit_id, []).append(kind)
    if not kinds:
        return []
    bounds = {"gte": min(kinds), "lte": max(kinds)}
    hits = Hit.objects.select_related("token").defer("payload")
    rows = hits.filter(pk__in=kinds, **{f"pk__{side}": id for side, id in bounds.items()})
    deliveries = Delivery.objects.select_related("integration").filter(hit_id__in=kinds)
    bounded = deliveries.filter(**{f"hit_id__{side}": id for side, id in bounds.items()})
    states: dict[UUID, list[Delivery]] = {}
    for delivery in present(bounded):
        states.setdefault(delivery.hit_id, []).append(delivery)
    found = [SearchResult(hit, tuple(kinds[hit.pk]), tuple(states.get(hit.pk, ()))) for hit in rows]
    return sorted(found, key=lambda each: (each.hit.occurred_at, each.hit.pk), reverse=True)


def _rows(term: str, scope: Scope) -> Iterator[tuple[str, UUID]]:
    """Yield the kind of identifier that matches, and the hit's id."""
    first, *others = (_newest(*wanted, scope) for wanted in _wanted(term))
    shown: Counter[str] = Counter()
    for kind, hit_id, token_id in first.union(*others, all=True):
        if scope.sees(token_id) and shown[kind] < SHOWN:
            shown[kind] += 1
            yield kind, hit_id


def _newest(kind: str, column: str, value: str, scope: Scope) -> QuerySet[Hit, Any]:
    hits = Hit.objects.filter(**{column: value}).order_by("-id")
    named = hits.annotate(kind=Value(kind, output_field=CharField()))
    return named.values_list("kind", "id", "token_id")[: SHOWN if scope.is_all else REACH]


def _wanted(term: str) -> Iterator[tuple[str, str, str]]:
    """Yield each kind of identifier that the term may be, its column, and the value stored
    there."""
    with suppress(ValueError):
        yield HITSTREAM_ID, "id", str(UUID(term))
    yield HIT_ID, "hit_id", term
    yield "user id", "user_id", term
    yield "anonymous id", "anonymous_id", term
    yield "e-mail hash", "email_hash", term
    if "@" in term:
        yield "e-mail", "email_digest", str(digest_of_email(term))
        address = term.lower().encode(errors="replace")
        yield "SHA-256 of the e-mail", "email_hash", hashlib.sha256(address).hexdigest()
        md5 = hashlib.md5(address, usedforsecurity=False)
        yield "MD5 of the e-mail", "email_hash", md5.hexdigest()
