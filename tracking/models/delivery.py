"""A hit's way through one integration: owed, then settled; and the view over all of it.

`owed` is the queue: small rows without a payload, deleted when settled. What happened goes to the
append-only `outcome`. Dead letters wait in a table of their own until somebody replays them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from django.db import connections, models, transaction
from django.utils import timezone

from tracking.models.integration import Integration

#: A delivery claimed this often without an outcome is sent alone from then on, since one of the
#: hits that it was claimed with seems to kill workers.
SUSPECT_CLAIMS = 2
#: Alone this often without an outcome: the hit itself kills workers.
FATAL_CLAIMS = 5

CLAIM: LiteralString = """
    WITH due AS (
        SELECT hit_id, due_at AS was_due_at FROM tracking_owed
        WHERE integration_id = %(integration)s AND claims BETWEEN %(least)s AND %(most)s
          AND due_at <= statement_timestamp() AND due_at >= %(floor)s
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE tracking_owed AS owed
    SET due_at = statement_timestamp() + make_interval(secs => %(lease)s), claims = claims + 1
    FROM due
    WHERE owed.integration_id = %(integration)s AND owed.hit_id = due.hit_id
    RETURNING owed.hit_id, was_due_at, owed.due_at, owed.claims, owed.attempts
"""
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until `leased_until`; `attempts` were made before."""

    integration_id: int
    hit_id: UUID
    was_due_at: datetime
    leased_until: datetime
    claims: int
    attempts: int


class OwedQuerySet(models.QuerySet["Owed"]):
    def claim(
        self, integration_id: int, *, limit: int, lease: float, floor: datetime = ALWAYS
    ) -> list[Claim]:
        """Up to `limit` due deliveries are nobody else's for `lease` seconds.

        Suspects are left out while there are others, and then come one at a time. `floor` bounds
        due_at from below, so that the scan does not walk through what was settled long ago.
        """
        claims = self._claim(integration_id, (0, SUSPECT_CLAIMS - 1), limit, lease, floor)
        return claims or self._claim(
            integration_id, (SUSPECT_CLAIMS, FATAL_CLAIMS * 10), 1, lease, floor
        )

    def _claim(
        self,
        integration_id: int,
        counts: tuple[int, int],
        limit: int,
        lease: float,
        floor: datetime,
    ) -> list[Claim]:
        least, most = counts
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                CLAIM,
                {
                    "integration": integration_id,
                    "least": least,
                    "most": most,
                    "limit": limit,
                    "lease": lease,
                    "floor": floor,
                },
            )
            return [Claim(integration_id, *row) for row in cursor.fetchall()]

    def leased(self, claims: Iterable[Claim]) -> OwedQuerySet:
        """Those of the claimed deliveries whose lease is still the one that we were given."""
        claims = list(claims)
        return self.filter(
            integration_id__in={claim.integration_id for claim in claims},
            hit_id__in=[claim.hit_id for claim in claims],
            due_at__in={claim.leased_until for claim in claims},
        )

    def settle(self, claims: Iterable[Claim]) -> None:
        """The deliveries are owed no more, whoever holds the lease by now."""
        claims = list(claims)
        self.filter(
            integration_id__in={claim.integration_id for claim in claims},
            hit_id__in=[claim.hit_id for claim in claims],
        ).delete()

    def postpone(self, claim: Claim, *, due_at: datetime, attempted: bool) -> None:
        """The delivery is due at that time, unless another worker has claimed it since."""
        self.leased([claim]).update(
            due_at=due_at, claims=0, attempts=models.F("attempts") + int(attempted)
        )


class Owed(models.Model):
    """A delivery to be made. `due_at` in the future: retrying, or leased to a worker."""

    pk = models.CompositePrimaryKey("hit_id", "integration_id")
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    hit_id = models.UUIDField()
    due_at = models.DateTimeField()
    claims = models.SmallIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)

    objects = OwedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "owed"
        indexes = (models.Index(fields=("integration", "due_at"), name="tracking_owed_due"),)

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}"


class Result(models.TextChoices):
    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead", "dead letter"
    CANCELLED = "cancelled"


class Outcome(models.Model):
    """What one attempt came to for one hit. Append-only, partitioned by day on the hit's id."""

    pk = models.CompositePrimaryKey("hit_id", "integration_id", "attempt_id")
    hit_id = models.UUIDField()
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False
    )
    attempt_id = models.UUIDField()
    result = models.CharField(max_length=10, choices=Result.choices)
    reason = models.TextField(blank=True)
    settled_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.result}"


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    @transaction.atomic
    def replay(self) -> int:
        """The dead letters are due at once, with all their attempts before them; how many."""
        letters = list(self.select_for_update().values_list("pk", "integration_id", "hit_id"))
        now = timezone.now()
        Owed.objects.bulk_create(
            [
                Owed(integration_id=integration_id, hit_id=hit_id, due_at=now)
                for _, integration_id, hit_id in letters
            ],
            batch_size=1000,
            ignore_conflicts=True,
        )
        DeadLetter.objects.filter(pk__in=[letter[0] for letter in letters]).delete()
        return len(letters)


class DeadLetter(models.Model):
    """A delivery that was given up, kept until somebody replays it."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT)
    hit_id = models.UUIDField()
    died_at = models.DateTimeField(default=timezone.now)
    code = models.CharField(max_length=50)
    message = models.TextField()
    attempts = models.PositiveSmallIntegerField()
    attempt_id = models.UUIDField()

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("hit_id", "integration"), name="tracking_deadletter_hit"
            ),
        )

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.message}"


class Delivery(models.Model):
    """A view over owed, dead letters and outcomes: every delivery in its present state."""

    class State(models.TextChoices):
        OWED = "owed"
        RETRYING = "retrying"
        DELIVERED = "delivered"
        DEAD = "dead", "dead letter"
        CANCELLED = "cancelled"

    id = models.CharField(primary_key=True, max_length=80)
    hit = models.ForeignKey(
        "tracking.Hit", on_delete=models.DO_NOTHING, db_constraint=False, related_name="deliveries"
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.DO_NOTHING, db_constraint=False, related_name="deliveries"
    )
    state = models.CharField(max_length=10, choices=State.choices)
    since = models.DateTimeField("since / due", null=True)
    reason = models.TextField()

    class Meta:
        managed = False
        db_table = "tracking_delivery"
        ordering = ("-hit_id",)
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.state}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("Delivery is a view: the verbs are on Owed and DeadLetter.")
