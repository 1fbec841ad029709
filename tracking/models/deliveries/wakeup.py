"""When a process last woke the dispatcher: one row, shared by all processes."""

from __future__ import annotations

from typing import LiteralString

from django.db import models

from tracking import db

CLAIM: LiteralString = """
    WITH before AS (
        SELECT extract(epoch FROM clock_timestamp() - woken_at)::float8 AS age FROM hitstream_wakeup
    ), claimed AS (
        INSERT INTO hitstream_wakeup AS wakeup (id, woken_at) VALUES (1, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET woken_at = clock_timestamp()
            WHERE wakeup.woken_at NOT BETWEEN clock_timestamp() - make_interval(secs => %s)
                AND clock_timestamp()
        RETURNING true
    )
    SELECT EXISTS (SELECT FROM claimed), coalesce((SELECT age FROM before), 'infinity'::float8)
"""


class WakeupManager(models.Manager["Wakeup"]):
    def claim(self, interval: float) -> tuple[bool, float]:
        """Claim the next wake-up. Returns whether this process may publish it, since no other did
        within `interval` seconds, and the age of the last wake-up in seconds."""
        with db.write_cursor() as cursor:
            cursor.execute(CLAIM, [interval])
            ours, age = cursor.fetchone()
            return bool(ours), float(age)


class Wakeup(models.Model):
    """The last wake-up of the dispatcher."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    woken_at = models.DateTimeField()

    objects = WakeupManager()

    def __str__(self) -> str:
        return f"woken at {self.woken_at}"
