"""The story of a user: the hits under one id and under the ids seen together with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracking.models.access.scope import Scope
from tracking.models.deliveries.delivery import Delivery, present
from tracking.models.explain.search import REACH
from tracking.models.hits.hit import Hit

#: The newest hits of each id, ids that are followed, and hits with traits that are read.
SHOWN, MOST_IDS, MOST_TRAITS = 100, 10, 20
COLUMNS = ("user_id", "anonymous_id")


@dataclass(frozen=True, slots=True)
class UserEvent:
    """A hit of the user, and where it went."""

    hit: Hit
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class UserStory:
    """What is known of a user, the latest event first. `is_whole` is False if there may be more
    events than are here."""

    user_ids: tuple[str, ...]
    anonymous_ids: tuple[str, ...]
    email_hashes: tuple[str, ...]
    traits: Mapping[str, Any]
    events: tuple[UserEvent, ...]
    is_whole: bool

    @property
    def first(self) -> Hit:
        return self.events[-1].hit

    @property
    def last(self) -> Hit:
        return self.events[0].hit


def user_story(user: str, scope: Scope) -> UserStory | None:
    """Return the story of the user with this user id or anonymous id; None without a hit within the
    scope. Of an anonymous id it is that of the user who was seen with it, if there is only one."""
    found = {column: _newest(column, [user], scope) for column in COLUMNS}
    ids = _ids(_seen(found, scope))
    if not any(ids.values()):
        return None
    others = {column: [each for each in ids[column] if each != user] for column in COLUMNS}
    if user not in ids["user_id"] and len(others["user_id"]) > 1:
        others["user_id"] = []
    more = {column: _newest(column, others[column][:MOST_IDS], scope) for column in COLUMNS}
    keys = [hit_id for part in (found, more) for rows in part.values() for hit_id in rows]
    hits = sorted(
        _hits(set(keys), scope), key=lambda each: (each.occurred_at, each.pk), reverse=True
    )
    ids = _ids(hits)
    return UserStory(
        user_ids=tuple(ids["user_id"]),
        anonymous_ids=tuple(ids["anonymous_id"]),
        email_hashes=tuple(ids["email_hash"]),
        traits=_traits(hits),
        events=tuple(_events(hits)),
        is_whole=all(len(rows) < SHOWN for part in (found, more) for rows in part.values()),
    )


def _newest(column: str, values: Iterable[str], scope: Scope) -> list[UUID]:
    """Return the newest hits of each value, for users who do not see all tokens among the REACH
    newest."""
    found: list[UUID] = []
    for value in values:
        rows = Hit.objects.filter(**{column: value}).order_by("-id").values_list("id", "token_id")
        looked = rows[: SHOWN if scope.is_all else REACH]
        found += [hit_id for hit_id, token_id in looked if scope.sees(token_id)][:SHOWN]
    return found


def _hits(keys: set[UUID], scope: Scope) -> list[Hit]:
    if not keys:
        return []
    hits = Hit.objects.select_related("token").defer("payload")
    bounded = hits.filter(pk__in=keys, pk__gte=min(keys), pk__lte=max(keys))
    return [hit for hit in bounded if scope.sees(hit.token_id)]


def _seen(found: Mapping[str, list[UUID]], scope: Scope) -> list[Hit]:
    return _hits({hit_id for rows in found.values() for hit_id in rows}, scope)


def _ids(hits: Iterable[Hit]) -> dict[str, list[str]]:
    """Return the distinct ids of the hits by column."""
    ids: dict[str, dict[str, None]] = {name: {} for name in (*COLUMNS, "email_hash")}
    for hit in hits:
        for name, values in ids.items():
            if value := getattr(hit, name):
                values[value] = None
    return {name: list(values) for name, values in ids.items()}


def _traits(hits: Iterable[Hit]) -> Mapping[str, Any]:
    """Return the traits that the user's hits have told, the latest value of each."""
    keys = [hit.pk for hit in hits if hit.type in {"identify", "group"}][:MOST_TRAITS]
    if not keys:
        return {}
    rows = Hit.objects.filter(pk__in=keys, pk__gte=min(keys), pk__lte=max(keys))
    traits: dict[str, Any] = {}
    for hit in sorted(rows, key=lambda each: (each.occurred_at, each.pk)):
        told = hit.payload.get("traits") if isinstance(hit.payload, dict) else None
        if isinstance(told, dict):
            traits |= told
    return dict(sorted(traits.items()))


def _events(hits: Iterable[Hit]) -> Iterable[UserEvent]:
    hits = list(hits)
    keys = [hit.pk for hit in hits]
    deliveries = Delivery.objects.select_related("integration").filter(
        hit_id__in=keys, hit_id__gte=min(keys), hit_id__lte=max(keys)
    )
    states: dict[UUID, list[Delivery]] = {}
    for delivery in present(deliveries):
        states.setdefault(delivery.hit_id, []).append(delivery)
    return [UserEvent(hit, tuple(states.get(hit.pk, ()))) for hit in hits]
