"""Dead letters: deliveries that failed for good, kept until an operator replays them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.models.deliveries.conditions import Conditions
from tracking.models.deliveries.criteria import Criteria
from tracking.models.hits.hit import Hit
from tracking.models.integrations.by_token import rows_of_integrations
from tracking.models.integrations.integration import Integration
from tracking.sql import OF_TOKEN, load
from tracking.uuid7 import first_uuid7

#: Why a delivery fails for good: the code, and what it means.
CODES = {
    "permanent": _("The destination rejected the request"),
    "refused": _("The destination rejected the hit"),
    "attempts_exhausted": _("Every attempt failed"),
    "too_old": _("Failed for too long"),
    "worker_killed": _("The worker was killed while it sent the hit"),
    "hit_missing": _("The hit is not stored any more"),
}
REPLAY_CHUNK = 1000
SQL = load(__file__)


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def died(self, integrations: Sequence[int], since: datetime, *, limit: int) -> dict[int, int]:
        """Return how many dead letters each integration got since then, counted up to the limit."""
        with db.read_cursor() as cursor:
            rows = rows_of_integrations(
                cursor,
                SQL,
                "count_since",
                integrations,
                lambda some: {"integrations": some, "since": since, "limit": limit},
            )
            return dict(rows)

    def matching(self, criteria: Criteria) -> DeadLetterQuerySet:
        """Return the dead letters that the criteria select."""
        letters = self
        if criteria.since:
            letters = letters.filter(failed_at__gte=criteria.since)
        if criteria.until:
            letters = letters.filter(failed_at__lt=criteria.until)
        if criteria.code:
            letters = letters.filter(code=criteria.code)
        if criteria.message:
            letters = letters.filter(message__icontains=criteria.message)
        if criteria.last is not None:
            letters = letters.filter(pk__lte=criteria.last)
        if criteria.received_since:
            letters = letters.filter(hit_id__gte=first_uuid7(criteria.received_since))
        if criteria.received_until:
            letters = letters.filter(hit_id__lt=first_uuid7(criteria.received_until))
        # The event has a statement of its own, for many letters.
        letters = letters.filter(Conditions.of(criteria, event="").of_row())
        return letters.of_event(criteria.event) if criteria.event else letters

    def of_event(self, name: str) -> DeadLetterQuerySet:
        """Return the dead letters whose hit is stored and has that event name."""
        hit_ids = self.order_by("hit_id").values_list("hit_id", flat=True)
        first, last = hit_ids.first(), hit_ids.last()
        if first is None or last is None:
            return self.none()
        hits = Hit.objects.filter(
            pk=OuterRef("hit_id"),
            token_id=OuterRef("token_id"),
            name=name,
            pk__gte=first,
            pk__lte=last,
        )
        return self.filter(Exists(hits))

    def replay(self) -> int:
        """Queue the present dead letters again with a fresh retry budget. Returns how many. Each
        chunk is a transaction of its own, unless one is open."""
        ids = self.order_by("pk").values_list("pk", flat=True)
        last, position, replayed = ids.last() or 0, 0, 0
        while chunk := list(ids.filter(pk__gt=position, pk__lte=last)[:REPLAY_CHUNK]):
            replayed += replay(chunk)
            position = chunk[-1]
        return replayed


def replay(ids: Sequence[int]) -> int:
    """Queue these dead letters again, and correct the tallies. Returns how many were queued."""
    with db.write_cursor() as cursor:
        cursor.execute(SQL["bounds"], {"ids": list(ids)})
        first, last = cursor.fetchone()
        bounds = {"first": first, "last": last}
        if not db.is_distributed():
            cursor.execute(SQL["replay"], {"ids": list(ids), **bounds})
            return int(cursor.fetchone()[0])
        moved = 0
        letters = DeadLetter.objects.using(db.write_alias()).filter(pk__in=ids)
        for token in letters.order_by().values_list("token_id", flat=True).distinct():
            cursor.execute(SQL["replay" + OF_TOKEN], {"ids": list(ids), "token": token, **bounds})
            moved += cursor.fetchone()[0]
    return moved


class DeadLetter(models.Model):
    """A delivery that failed for good, kept until an operator replays it."""

    token_id = models.BigIntegerField(_("token id"))
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, verbose_name=_("integration")
    )
    hit_id = models.UUIDField(_("hit id"))
    failed_at = models.DateTimeField(_("failed at"), default=timezone.now)
    code = models.CharField(_("code"), max_length=50)
    message = models.TextField(_("message"))
    attempts = models.PositiveSmallIntegerField(_("attempts"))
    attempt_id = models.UUIDField(_("attempt id"))

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("hit_id", "integration", "token_id"), name="hitstream_deadletter_hit"
            ),
        )
        indexes = (
            models.Index(fields=("integration", "failed_at"), name="hitstream_deadletter_failed"),
        )
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")

    def __str__(self) -> str:
        return f"{self.hit_id} to {self.integration_id}: {self.message}"
