"""The spool of each node, as its web processes last reported it: a row for each node."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

#: After which an empty node that reports no more is left out: it was removed.
FORGOTTEN = timedelta(days=1)


class NodeSpoolQuerySet(models.QuerySet["NodeSpool"]):
    def present(self) -> NodeSpoolQuerySet:
        """Return the nodes that report, and those that went away with hits."""
        return self.filter(models.Q(hits__gt=0) | models.Q(reported_at__gt=since()))


def since() -> datetime:
    return timezone.now() - FORGOTTEN


class NodeSpool(models.Model):
    """Sizes in bytes. `oldest_at` is null without a hit."""

    node = models.CharField(max_length=255, primary_key=True)
    bytes = models.BigIntegerField()
    hits = models.BigIntegerField()
    oldest_at = models.DateTimeField(null=True)
    limit_bytes = models.BigIntegerField()
    reported_at = models.DateTimeField()

    objects = NodeSpoolQuerySet.as_manager()

    class Meta:
        ordering = ("node",)

    def __str__(self) -> str:
        size, limit = self.bytes / 1024**2, self.limit_bytes / 1024**2
        if not self.hits:
            return f"Empty, of {limit:,.0f} MB"
        oldest = f", the oldest of {self.oldest_at:%Y-%m-%d %H:%M:%S} UTC" if self.oldest_at else ""
        plural = "" if self.hits == 1 else "s"
        return f"{self.hits:,} hit{plural}, {size:,.1f} of {limit:,.0f} MB{oldest}"

    @property
    def share(self) -> float:
        return self.bytes / self.limit_bytes

    def age(self, now: datetime) -> timedelta:
        """Return for how long the oldest hit has waited; nothing without one."""
        return now - self.oldest_at if self.oldest_at else timedelta()
