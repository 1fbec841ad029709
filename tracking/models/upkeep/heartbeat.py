"""The last heartbeat of each background process: a row for each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now

from tracking import db
from tracking.sql import load

SQL = load(__file__)
#: Seconds between two stored beats of one process, at least.
BEAT_INTERVAL = 5.0
#: After which a silent worker is forgotten.
FORGOTTEN = timedelta(days=1)


class HeartbeatManager(models.Manager["Heartbeat"]):
    def beat(self, name: str) -> None:
        """Note a beat, at most once in a few seconds."""
        with db.write_cursor() as cursor:
            cursor.execute(SQL["beat"], {"name": name, "interval": BEAT_INTERVAL})

    def leave(self, name: str) -> None:
        """Forget a process that stops in order, and workers that died more than a day ago."""
        dead = models.Q(name__startswith="worker ", beat_at__lt=Now() - FORGOTTEN)
        self.filter(models.Q(name=name) | dead).delete()

    def seen(self) -> dict[str, datetime]:
        """Return the last beat of each process that ever beat."""
        return dict(self.values_list("name", "beat_at"))


class Heartbeat(models.Model):
    """`worker`: a worker dispatched. `beat`: a worker ran what only beat schedules. `sweep`: cron
    or an operator ran `manage.py sweep`; `deliver`: with --deliver. `worker NAME`: the worker of
    that name, until it stops."""

    name = models.CharField(max_length=255, primary_key=True)
    beat_at = models.DateTimeField()

    objects = HeartbeatManager()

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at}"
