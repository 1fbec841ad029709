"""Conditions on a delivery beyond its state: its hit, and the requests that were made for it.

Rows with `hit_id`, `integration_id` and `token_id` can be filtered by them: of the queue, the dead
letters and the outcomes. Each condition is one look-up by key for each row.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.criteria import Criteria
from tracking.models.deliveries.outcome import DeliveryResult, Outcome
from tracking.models.hits.hit import Hit, digest_of_email

#: An HTTP status, a class of them, or requests without a response.
CODE = re.compile(r"[1-5][0-9][0-9]|[1-5]xx|none")
NO_RESPONSE = "none"
#: The results that follow a request.
ATTEMPTED = (DeliveryResult.DELIVERED, DeliveryResult.FAILED, DeliveryResult.DEAD_LETTER)
FAILURES = (DeliveryResult.FAILED, DeliveryResult.DEAD_LETTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Empty conditions exclude nothing.

    `user` is a user id, an anonymous id or an e-mail address. `status` (as CODE) and `answer` (a
    part of the kept response or of the error) hold if they hold for any attempt;
    `requests` is the least number of attempts on record.
    """

    event: str = ""
    user: str = ""
    status: str = ""
    answer: str = ""
    requests: int = 0

    @classmethod
    def of(cls, criteria: Criteria, **changes: str) -> Conditions:
        """Return the conditions among the criteria of an operation, with these changes."""
        found = cls(
            event=criteria.event,
            user=criteria.user,
            status=criteria.status,
            answer=criteria.answer,
            requests=criteria.attempts or 0,
        )
        return replace(found, **changes)  # type: ignore[arg-type]

    @property
    def concern_attempts(self) -> bool:
        return bool(self.status or self.answer or self.requests)

    @property
    def accept_success(self) -> bool:
        """Whether an attempt that delivered may fulfil them without a failed one beside it."""
        return not (self.requests > 1 or (self.status and not self.status.startswith("2")))

    def of_hit_by_index(self) -> list[Q]:
        """Return conditions on hits that each have an index in the order of the hits, or lead to
        few; one of them holds for each hit that is wanted."""
        # One condition over all columns would sort the million hits of a bot.
        return ways_to(self.user) if self.user else [Q(name=self.event)]

    def of_hit_beside_index(self) -> Q:
        """Return the condition that those of the index leave out."""
        return Q(name=self.event) if self.event and self.user else Q()

    def of_row(self) -> Q:
        """Return the conditions on rows of the queue or the dead letters."""
        return self._hit_exists() & self.of_row_beside_hit()

    def of_row_beside_hit(self) -> Q:
        """Return those of them that do not concern the hit."""
        wanted = self.of_outcome()
        if self.status or self.answer:
            attempts = Attempt.objects.filter(
                pk=OuterRef("attempt_id"), token_id=OuterRef("token_id")
            )
            answered = Exists(attempts.filter(self._of_attempt()))
            wanted &= Q(Exists(outcomes_of_row().filter(answered)))
        return wanted

    def of_outcome(self) -> Q:
        """Return the conditions on rows of outcomes that concern neither the hit nor the attempt of
        the row: `hits_among` and `attempts_among` look these up, for many rows at once."""
        if self.requests < 1:
            return Q()
        made = outcomes_of_row().filter(result__in=ATTEMPTED)
        return Q(Exists(made[self.requests - 1 : self.requests]))

    def hits_among(self, ids: Set[UUID]) -> set[UUID]:
        """Return which of these hits are wanted."""
        hits = Hit.objects.filter(pk__in=ids, pk__gte=min(ids), pk__lte=max(ids))
        return {*hits.filter(self._of_hit()).values_list("pk", flat=True)}

    def attempts_among(self, ids: Set[UUID]) -> set[UUID]:
        """Return which of these attempts are wanted."""
        attempts = Attempt.objects.filter(pk__in=ids, pk__gte=min(ids), pk__lte=max(ids))
        return {*attempts.filter(self._of_attempt()).values_list("pk", flat=True)}

    def _of_hit(self) -> Q:
        return Q(*self.of_hit_by_index(), _connector=Q.OR) & self.of_hit_beside_index()

    def _hit_exists(self) -> Q:
        if not (self.event or self.user):
            return Q()
        hits = Hit.objects.filter(pk=OuterRef("hit_id"), token_id=OuterRef("token_id"))
        return Q(Exists(hits.filter(self._of_hit())))

    def _of_attempt(self) -> Q:
        wanted = status_is(self.status) if self.status else Q()
        if not self.answer:
            return wanted
        text = Q(response_body__icontains=self.answer) | Q(message__icontains=self.answer)
        return wanted & text


def outcomes_of_row() -> QuerySet[Outcome]:
    """Return the outcomes of the delivery of the outer row."""
    return Outcome.objects.filter(
        hit_id=OuterRef("hit_id"),
        integration_id=OuterRef("integration_id"),
        token_id=OuterRef("token_id"),
    )


def status_is(status: str) -> Q:
    """Return the condition on attempts. `none` is a failure without a response."""
    if status == NO_RESPONSE:
        return Q(status__isnull=True) & ~Q(code="")
    if status.endswith("xx"):
        first = int(status[0]) * 100
        return Q(status__gte=first, status__lt=first + 100)
    return Q(status=int(status))


def ways_to(user: str) -> list[Q]:
    """Return the conditions on hits of which one holds for each hit of the user."""
    ways = [Q(user_id=user), Q(anonymous_id=user)]
    return [*ways, Q(email_digest=digest_of_email(user))] if "@" in user else ways
