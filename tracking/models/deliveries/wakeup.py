"""When the dispatcher was rung last, by whichever process: one row."""

from __future__ import annotations

from typing import LiteralString

from django.db import connections, models, router

RING: LiteralString = """
    WITH before AS (
        SELECT extract(epoch FROM clock_timestamp() - rung_at)::float8 AS age FROM tracking_bell
    ), rung AS (
        INSERT INTO tracking_bell AS bell (id, rung_at) VALUES (1, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET rung_at = clock_timestamp()
            WHERE bell.rung_at NOT BETWEEN clock_timestamp() - make_interval(secs => %s)
                AND clock_timestamp()
        RETURNING true
    )
    SELECT EXISTS (SELECT FROM rung), coalesce((SELECT age FROM before), 'infinity'::float8)
"""


class BellManager(models.Manager["Bell"]):
    def ring(self, interval: float) -> tuple[bool, float]:
        """Whether it is ours to ring, since nobody did for `interval` seconds; and how many seconds
        ago somebody did."""
        with connections[router.db_for_write(Bell)].cursor() as cursor:
            cursor.execute(RING, [interval])
            ours, age = cursor.fetchone()
            return bool(ours), float(age)


class Bell(models.Model):
    id = models.PositiveSmallIntegerField(primary_key=True)
    rung_at = models.DateTimeField()

    objects = BellManager()

    def __str__(self) -> str:
        return f"rung at {self.rung_at}"
