"""The newest hits of an event, or of a token: what their documents hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, IntegerField, QuerySet

from tracking.events import TEST_EVENT, TEST_USER, TYPES, Event
from tracking.models.access.scope import Scope
from tracking.models.explain.search import REACH
from tracking.models.hits.hit import FIELDS, Hit

#: Hits of a sample, and the bytes that their payloads take in the table, at most.
SAMPLE, MOST_BYTES = 500, 4_000_000

#: The id, the token, the name, the type, the anonymous id and the stored bytes of a hit.
Candidate = tuple[UUID, int, str, str, str, int]


@dataclass(frozen=True, slots=True)
class EventSample:
    """The newest hits, the latest first. `is_cut` if there are more than were looked at."""

    hits: tuple[Hit, ...]
    is_cut: bool

    @property
    def events(self) -> Iterator[Event]:
        return map(event_of, self.hits)


def sample_of_event(
    name: str, scope: Scope, token_id: int | None = None, *, limit: int = SAMPLE
) -> EventSample:
    """Return the newest hits of the event: of this token, or of all within the scope. The newest
    REACH of the name are looked at and, where other tokens have most of them, the newest of the
    token, whatever their names."""
    has_others = token_id is not None or not scope.is_all
    reach = REACH if has_others else limit
    rows = [*_newest(reach, name=name)]
    is_cut = len(rows) == reach
    if name in TYPES:
        # A hit without a name counts under its type.
        nameless = [*_newest(REACH, name="")]
        is_cut |= len(nameless) == REACH
        rows += nameless
    mine = _of_event(rows, name, scope, token_id)
    if token_id is not None and is_cut and len(mine) < limit:
        mine |= _of_event(_newest(REACH, token_id=token_id), name, scope, token_id)
    return _sample(mine, is_cut=is_cut, limit=limit)


def _of_event(
    rows: Iterable[Candidate], name: str, scope: Scope, token_id: int | None
) -> set[Candidate]:
    return {row for row in rows if (row[2] or row[3]) == name and is_shown(row, scope, token_id)}


def sample_of_token(scope: Scope, token_id: int | None, limit: int) -> EventSample:
    """Return the newest hits of the token, or of all within the scope."""
    wanted = {} if token_id is None else {"token_id": token_id}
    reach = limit if token_id is not None or scope.is_all else REACH
    rows = [row for row in _newest(reach, **wanted) if is_shown(row, scope, token_id)]
    return _sample(rows, is_cut=True, limit=limit)


def event_of(hit: Hit) -> Event:
    values = {name: getattr(hit, name) for name in FIELDS}
    payload = hit.payload if isinstance(hit.payload, dict) else {}
    return Event(**values, payload=payload)


def is_shown(row: Candidate, scope: Scope, token_id: int | None) -> bool:
    _, token, name, _, anonymous_id, _ = row
    is_test = (name, anonymous_id) == (TEST_EVENT, TEST_USER)
    return token_id in (None, token) and scope.sees(token) and not is_test


def _newest(limit: int, **wanted: Any) -> QuerySet[Hit, Any]:
    size = Func(F("payload"), function="pg_column_size", output_field=IntegerField())
    columns = ("id", "token_id", "name", "type", "anonymous_id")
    hits = Hit.objects.filter(**wanted).order_by("-id").annotate(size=size)
    return hits.values_list(*columns, "size")[:limit]


def _sample(rows: Iterable[Candidate], *, is_cut: bool, limit: int) -> EventSample:
    keys: list[UUID] = []
    size = 0
    for row in sorted(rows, reverse=True)[:limit]:
        size += row[-1]
        if keys and size > MOST_BYTES:
            is_cut = True
            break
        keys.append(row[0])
    if not keys:
        return EventSample((), is_cut)
    hits = Hit.objects.filter(pk__in=keys, pk__gte=min(keys), pk__lte=max(keys))
    return EventSample(tuple(hits.order_by("-pk")), is_cut)
