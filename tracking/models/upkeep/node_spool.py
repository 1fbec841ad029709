"""The spool of each node, as its web processes last reported it: a row for each node."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
        values = {
            "hits": f"{self.hits:,}",
            "size": f"{self.bytes / 1024**2:,.1f}",
            "limit": f"{self.limit_bytes / 1024**2:,.0f}",
        }
        if not self.hits:
            return _("Empty, of %(limit)s MB") % values
        if self.oldest_at is None:
            text = ngettext(
                "%(hits)s hit, %(size)s of %(limit)s MB",
                "%(hits)s hits, %(size)s of %(limit)s MB",
                self.hits,
            )
            return text % values
        text = ngettext(
            "%(hits)s hit, %(size)s of %(limit)s MB, the oldest of %(oldest)s UTC",
            "%(hits)s hits, %(size)s of %(limit)s MB, the oldest of %(oldest)s UTC",
            self.hits,
        )
        return text % {**values, "oldest": f"{self.oldest_at:%Y-%m-%d %H:%M:%S}"}

    @property
    def share(self) -> float:
        return self.bytes / self.limit_bytes if self.limit_bytes else 1.0

    def age(self, now: datetime) -> timedelta:
        """Return for how long the oldest hit has waited; nothing without one."""
        return now - self.oldest_at if self.oldest_at else timedelta()
