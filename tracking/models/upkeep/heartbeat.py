"""When a part that works by itself was last seen to: a row for each."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from tracking import db
from tracking.sql import load

SQL = load(__file__)
#: Seconds between two beats of one part, at the least.
BEAT_INTERVAL = 5.0


class HeartbeatManager(models.Manager["Heartbeat"]):
    def beat(self, name: str) -> None:
        """The part is alive. It writes only where nobody did for a few seconds."""
        with db.write_cursor() as cursor:
            cursor.execute(SQL["beat"], {"name": name, "interval": BEAT_INTERVAL})

    def seen(self) -> dict[str, datetime]:
        """When each part was last seen to; those that never were are missing."""
        return dict(self.values_list("name", "beat_at"))


class Heartbeat(models.Model):
    """`worker`: a worker dispatched. `beat`: one did what only beat asks for. `sweep`: somebody,
    such as cron, ran `manage.py sweep`; `deliver`: with --deliver."""

    name = models.CharField(max_length=20, primary_key=True)
    beat_at = models.DateTimeField()

    objects = HeartbeatManager()

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at}"
