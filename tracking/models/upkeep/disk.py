"""Disk usage: now, day by day, and when the disk is full."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import Error, connections, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracking import db
from tracking.conf import conf
from tracking.models.hits.partitions import PARTITIONED, Partition
from tracking.sql import load

#: Whole days over which the growth is averaged.
GROWTH_DAYS = 7
GIGABYTE = 1024**3
#: Days that the forecast looks ahead.
HORIZON = 3650
SQL = load(__file__)

Days = Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Bytes. `size` and `free` are None if unknown; `growth` is per day, None before a whole
    day has passed; `full_on` is None if that is never or too far ahead."""

    used: int
    size: int | None
    free: int | None
    growth: int | None
    full_on: date | None
    next_drop: date | None
    next_drop_bytes: int

    @property
    def days_left(self) -> int | None:
        return (self.full_on - datetime.now(UTC).date()).days if self.full_on else None

    @property
    def free_share(self) -> float | None:
        return self.free / self.size if self.size and self.free is not None else None

    def __str__(self) -> str:
        if self.size is None or self.free is None:
            return _("The free space is unknown")
        free, size = self.free / GIGABYTE, self.size / GIGABYTE
        days = self.days_left
        values = {
            "free": f"{free:,.1f}",
            "size": f"{size:,.1f}",
            "share": f"{self.free_share:.0%}",
            "days": days,
        }
        if days is None:
            return _("%(free)s of %(size)s GB are free (%(share)s)") % values
        return (
            ngettext(
                "%(free)s of %(size)s GB are free (%(share)s), full in %(days)s day",
                "%(free)s of %(size)s GB are free (%(share)s), full in %(days)s days",
                days,
            )
            % values
        )


def measure() -> Disk:
    """Return the disk usage, by the sizes of the daily partitions."""
    today = datetime.now(UTC).date()
    with db.read_cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        used: int = cursor.fetchone()[0]
        cursor.execute(SQL["sizes"])
        partitions = {Partition.named(name): size for name, size in cursor.fetchall()}
    tables = by_table(partitions, today)
    size, free = room(used)
    growth = {name: growth_of(days, today) for name, days in tables.items()}
    drops = drops_of(tables, growth, today)
    daily = sum(growth.values())
    upcoming = min((day for day, size in drops.items() if size), default=None)
    return Disk(
        used=used,
        size=size,
        free=free,
        growth=daily or None,
        full_on=full_on(free, daily, drops, today) if free is not None and daily else None,
        next_drop=upcoming,
        next_drop_bytes=drops[upcoming] if upcoming else 0,
    )


def by_table(partitions: Mapping[Partition, int], today: date) -> Mapping[str, Days]:
    """Return the size of each day's partition beyond that of an empty one, by table."""
    tables = {}
    for parent in PARTITIONED:
        sizes = {
            partition.day: size
            for partition, size in partitions.items()
            if partition.parent == parent
        }
        empty = min(sizes.values(), default=0)
        tables[parent] = {day: size - empty for day, size in sizes.items() if day <= today}
    return tables


def growth_of(days: Days, today: date) -> int:
    """Return the bytes/day, the mean of the last whole days; 0 before there is one: some minutes
    say nothing about a year."""
    week = [today - timedelta(days=n) for n in range(1, GROWTH_DAYS + 1)]
    grown = [days[day] for day in week if days.get(day)]
    return sum(grown) // len(grown) if grown else 0


def drops_of(tables: Mapping[str, Days], growth: Mapping[str, int], today: date) -> dict[date, int]:
    """Return the bytes that retention frees on each day ahead, for existing days and for days to
    come at the present growth."""
    drops: defaultdict[date, int] = defaultdict(int)
    kept = {
        "hitstream_hit": conf.HIT_DAYS,
        "hitstream_outcome": conf.HIT_DAYS,
        "hitstream_attempt": conf.ATTEMPT_DAYS,
    }
    for parent, days in tables.items():
        if (lasts := kept[parent]) is None:
            continue
        for day, size in days.items():
            drops[max(today, day + timedelta(days=lasts + 1))] += size if day < today else 0
        for ahead in range(HORIZON - lasts):
            drops[today + timedelta(days=ahead + lasts + 1)] += growth[parent]
    return drops


def full_on(free: int, growth: int, drops: Mapping[date, int], today: date) -> date | None:
    """Return the day on which no byte is left."""
    for ahead in range(1, HORIZON):
        day = today + timedelta(days=ahead)
        free += drops.get(day, 0) - growth
        if free <= 0:
            return day
    return None


def room(used: int) -> tuple[int, int] | tuple[None, None]:
    """Return the size and the free bytes as the deployment sets them; else those of the disk, if
    Postgres runs on this machine."""
    if conf.DISK_BYTES:
        return conf.DISK_BYTES, max(0, conf.DISK_BYTES - used)
    connection = connections[db.read_alias()]
    host = str(connection.settings_dict.get("HOST") or "")
    if not (host == "" or host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}):
        return None, None
    # Only superusers and pg_read_all_settings may read where the data lies.
    savepoint = transaction.atomic(using=connection.alias)
    with suppress(Error, OSError), savepoint, connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        usage = shutil.disk_usage(cursor.fetchone()[0])
        return usage.total, usage.free
    return None, None
