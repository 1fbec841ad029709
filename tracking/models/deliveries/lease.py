"""The runs of the delivery engine, and the slots of integrations that each of them has leased.

Both tables are unlogged: a crash of Postgres ends all leases, as it ends all runs.
"""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """A slot of an integration: which run sends with its part of the concurrency and of the rate,
    and until when. `tracking.delivery.lease` takes, renews and ends it."""

    pk = models.CompositePrimaryKey("integration_id", "slot")
    integration_id = models.BigIntegerField()
    slot = models.SmallIntegerField()
    holder = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "hitstream_lease"

    def __str__(self) -> str:
        return f"{self.integration_id}/{self.slot} by {self.holder}"


class EngineRun(models.Model):
    """A run that sends or looks for what is due. `tracking.delivery.roster` counts it."""

    holder = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "hitstream_run"

    def __str__(self) -> str:
        return str(self.holder)
