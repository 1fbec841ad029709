"""The queue: deliveries that are owed, claimed by workers under a lease.

Small rows without a payload, deleted when settled; what happened goes to the outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

from django.db import connections, models, router

from tracking.models.integration import Integration

#: A delivery claimed this often without an outcome is sent alone from then on, since one of the
#: hits that it was claimed with seems to kill workers.
SUSPECT_CLAIMS = 2
#: Alone this often without an outcome: the hit itself kills workers.
FATAL_CLAIMS = 5
MAX_CLAIMS = 32_767

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
POSTPONE: LiteralString = """
    UPDATE tracking_owed AS owed
    SET due_at = postponed.due_at, claims = 0, attempts = attempts + %(attempted)s
    FROM unnest(%(integrations)s::bigint[], %(hits)s::uuid[], %(leases)s::timestamptz[],
                %(dues)s::timestamptz[]) AS postponed(integration_id, hit_id, lease, due_at)
    WHERE owed.integration_id = postponed.integration_id AND owed.hit_id = postponed.hit_id
      AND owed.due_at = postponed.lease
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
        """Up to `limit` due deliveries are nobody else's for `lease` seconds; no suspects.

        `floor` bounds due_at from below, so that the scan does not walk through what was settled
        long ago.
        """
        return self._claim(integration_id, (0, SUSPECT_CLAIMS - 1), limit, lease, floor)

    def claim_suspect(self, integration_id: int, *, lease: float) -> list[Claim]:
        """One due suspect at the most, to be sent alone. They have an index of their own."""
        return self._claim(integration_id, (SUSPECT_CLAIMS, MAX_CLAIMS), 1, lease, ALWAYS)

    def _claim(
        self,
        integration_id: int,
        counts: tuple[int, int],
        limit: int,
        lease: float,
        floor: datetime,
    ) -> list[Claim]:
        least, most = counts
        with connections[router.db_for_write(Owed)].cursor() as cursor:
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

    def settle(self, claims: Iterable[Claim]) -> None:
        """The deliveries are owed no more, whoever holds the lease by now."""
        claims = list(claims)
        self.using(router.db_for_write(Owed)).filter(
            integration_id__in={claim.integration_id for claim in claims},
            hit_id__in=[claim.hit_id for claim in claims],
        ).delete()

    def postpone(self, claims: Iterable[tuple[Claim, datetime]], *, attempted: bool) -> None:
        """Each delivery is due at its time, unless another worker has claimed it since."""
        claims = list(claims)
        if not claims:
            return
        with connections[router.db_for_write(Owed)].cursor() as cursor:
            cursor.execute(
                POSTPONE,
                {
                    "attempted": int(attempted),
                    "integrations": [claim.integration_id for claim, _ in claims],
                    "hits": [claim.hit_id for claim, _ in claims],
                    "leases": [claim.leased_until for claim, _ in claims],
                    "dues": [due_at for _, due_at in claims],
                },
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
        indexes = (
            models.Index(fields=("integration", "due_at"), name="tracking_owed_due"),
            models.Index(
                fields=("integration", "due_at"),
                name="tracking_owed_suspect",
                condition=models.Q(claims__gte=SUSPECT_CLAIMS),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}"
