"""When a process last woke the dispatcher: one row, shared by all processes."""

from __future__ import annotations

from django.db import models

from tracking import db
from tracking.sql import load

SQL = load(__file__)


class WakeupManager(models.Manager["Wakeup"]):
    def claim(self, interval: float) -> tuple[bool, float]:
        """Claim the next wake-up. Returns whether this process may publish it, since no other did
        within `interval` seconds, and the age of the last wake-up in seconds."""
        with db.write_cursor() as cursor:
            cursor.execute(SQL["claim"], {"interval": interval})
            ours, age = cursor.fetchone()
            return bool(ours), float(age)


class Wakeup(models.Model):
    """The last wake-up of the dispatcher."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    woken_at = models.DateTimeField()

    objects = WakeupManager()

    def __str__(self) -> str:
        return f"woken at {self.woken_at}"
