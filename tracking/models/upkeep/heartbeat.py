"""The last heartbeat of each background process: a row for each."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from tracking import db
from tracking.sql import load

SQL = load(__file__)
#: Seconds between two stored beats of one process, at least.
BEAT_INTERVAL = 5.0


class HeartbeatManager(models.Manager["Heartbeat"]):
    def beat(self, name: str) -> None:
        """Note a beat, at most once in a few seconds."""
        with db.write_cursor() as cursor:
            cursor.execute(SQL["beat"], {"name": name, "interval": BEAT_INTERVAL})

    def seen(self) -> dict[str, datetime]:
        """Return the last beat of each process that ever beat."""
        return dict(self.values_list("name", "beat_at"))


class Heartbeat(models.Model):
    """`worker`: a worker dispatched. `beat`: a worker ran what only beat schedules. `sweep`: cron
    or an operator ran `manage.py sweep`; `deliver`: with --deliver."""

    name = models.CharField(max_length=20, primary_key=True)
    beat_at = models.DateTimeField()

    objects = HeartbeatManager()

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at}"
