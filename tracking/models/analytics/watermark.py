"""The watermark: the hit up to which everything is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connections, models, transaction
from django.db.backends.utils import CursorWrapper

from tracking import db
from tracking.sql import load
from tracking.uuid7 import moment_of

NOBODY = UUID(int=0)
ALL_TOKENS = 0
SQL = load(__file__)
LOCK = "LOCK TABLE hitstream_watermark IN EXCLUSIVE MODE"


class WatermarkQuerySet(models.QuerySet["Watermark"]):
    def moment(self) -> datetime | None:
        """Return the moment before which every received and committed hit is counted."""
        position = self.values_list("position", flat=True).first()
        return moment_of(position) if position else None

    @contextmanager
    def hold(self, *, wait: bool = False) -> Iterator[CursorWrapper]:
        """Open a transaction with one snapshot that excludes other writers of rollups. Raises Busy
        if it would have to wait and `wait` is false."""
        using = db.write_alias()
        with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
            cursor.execute(SQL["repeatable_read"])
            try:
                cursor.execute(LOCK if wait else f"{LOCK} NOWAIT")
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") == "55P03":
                    raise Busy from error
                raise
            yield cursor


class Busy(Exception):
    """Another process is counting."""


class Watermark(models.Model):
    """One row of all tokens, whose `token_id` is 0; on a cluster one row for each token. There is
    none before the first hit is counted."""

    token_id = models.BigIntegerField(primary_key=True, default=ALL_TOKENS)
    position = models.UUIDField(default=NOBODY)

    objects = WatermarkQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.position)
