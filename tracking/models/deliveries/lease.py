"""The lease of an integration: which run of the delivery engine sends to it, and until when."""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """`tracking.delivery.lease` takes, renews and ends it. The table is unlogged: a crash of
    Postgres ends all leases, as it ends all runs."""

    integration_id = models.BigIntegerField(primary_key=True)
    holder = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "hitstream_lease"

    def __str__(self) -> str:
        return f"{self.integration_id} by {self.holder}"
