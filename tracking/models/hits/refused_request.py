"""Samples of refused requests: what was sent, and why it was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.sql import load

SQL = load(__file__)

#: The latest samples of a token and code that are kept, and the days for which they are.
KEPT, KEPT_DAYS = 20, 7


class RefusedRequestQuerySet(models.QuerySet["RefusedRequest"]):
    def keep(self, samples: Sequence[RefusedRequest]) -> None:
        """Store the samples, and delete the oldest of their tokens and codes beyond KEPT."""
        self.using(db.write_alias()).bulk_create(samples)
        with db.write_cursor() as cursor:
            for token_id, code in sorted({(each.token_id, each.code) for each in samples}):
                cursor.execute(SQL["trim"], {"token": token_id, "code": code, "kept": KEPT})

    def prune(self) -> int:
        """Delete the samples that are too old. Returns how many."""
        old: datetime = timezone.now() - timedelta(days=KEPT_DAYS)
        return self.using(db.write_alias()).filter(made_at__lt=old).delete()[0]


class RefusedRequest(models.Model):
    """A refused request, or a refused hit of a batch. A sample: of each token and code the latest.

    `token_id` is 0 for a sender without a valid token. `body` is masked and cut; the sender's
    address is not stored.
    """

    token_id = models.BigIntegerField(_("token id"))
    code = models.CharField(_("code"), max_length=100)
    message = models.TextField(_("message"))
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    method = models.CharField(_("method"), max_length=10)
    path = models.TextField(_("path"))
    user_agent = models.TextField(_("sender's user agent"))
    body = models.TextField(_("body"))

    objects = RefusedRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("token_id", "code", "id"), name="hitstream_refused_latest"),
            models.Index(fields=("made_at",), name="hitstream_refused_made"),
        )
        verbose_name = _("refused request")
        verbose_name_plural = _("refused requests")

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.code}"
