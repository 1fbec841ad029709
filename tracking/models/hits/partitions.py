"""Daily partitions of the tables that are range-partitioned on a UUIDv7.

Partitions are created ahead. There is no default partition: with one, no partition can be detached
without blocking ingest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connections
from psycopg import errors

from tracking import db
from tracking.conf import conf
from tracking.sql import load
from tracking.uuid7 import first_uuid7

#: Partitioned by a hit's id; attempts by their own.
PARTITIONED = ("hitstream_hit", "hitstream_outcome", "hitstream_attempt")


#: Append-only tables are vacuumed after inserts, so that indexes alone answer counts.
APPEND_ONLY = "autovacuum_vacuum_insert_scale_factor = 0.05"
#: Days ahead below which an alert is due.
ALARM_DAYS = 7


@dataclass(frozen=True, slots=True)
class Partition:
    parent: str
    day: date

    @classmethod
    def named(cls, name: str) -> Partition:
        parent, _, day = name.rpartition("_")
        return cls(parent, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date())

    @property
    def name(self) -> str:
        return f"{self.parent}_{self.day:%Y%m%d}"

    @property
    def bounds(self) -> tuple[UUID, UUID]:
        start = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        return first_uuid7(start), first_uuid7(start + timedelta(days=1))

    def statements(self, schema: str = "public") -> Iterator[str]:
        """Yield the statements that create the partition in this schema, quoted where it must be,
        then attach it: CREATE … PARTITION OF would lock out all ingest."""
        low, high = self.bounds
        table, parent = f"{schema}.{self.name}", f"{schema}.{self.parent}"
        yield f"CREATE TABLE {table} (LIKE {parent} INCLUDING ALL) WITH ({APPEND_ONLY})"
        yield (
            f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES FROM ('{low}') TO ('{high}')"
        )


def partitions_ahead(today: date, tables: Sequence[str]) -> list[Partition]:
    """Return the partitions that should exist; yesterday's too, for hosts whose clocks differ."""
    days = sorted(days_wanted(today))
    return [Partition(parent, day) for day in days for parent in tables]


def days_wanted(today: date) -> set[date]:
    """Return the days that should have partitions."""
    return {today + timedelta(days=n) for n in range(-1, conf.PARTITION_DAYS_AHEAD + 1)}


SQL = load(__file__)


def make_ahead(execute: Callable[..., Any], tables: Sequence[str] = PARTITIONED) -> list[str]:
    """Create every missing partition from yesterday to the horizon. Returns their names.

    `execute` runs SQL inside one transaction and returns a cursor: Django's or psycopg's own.
    """
    return make_missing(execute, partitions_ahead(datetime.now(UTC).date(), tables), tables)


def make_days(execute: Callable[..., Any], days: Iterable[date]) -> list[str]:
    """Create the missing partitions of these days, past ones too. Returns their names."""
    wanted = [Partition(parent, day) for day in sorted(days) for parent in PARTITIONED]
    return make_missing(execute, wanted)


def days_missing(execute: Callable[..., Any], days: Iterable[date]) -> set[date]:
    """Return those of the days that lack a partition."""
    present = names_present(execute, PARTITIONED)
    return {
        day for day in days if any(Partition(each, day).name not in present for each in PARTITIONED)
    }


def names_present(execute: Callable[..., Any], tables: Sequence[str]) -> set[str]:
    """Return the names of the tables' partitions."""
    return {row[0] for row in execute(SQL["partitions"], {"tables": list(tables)}).fetchall()}


def make_missing(
    execute: Callable[..., Any], wanted: Sequence[Partition], tables: Sequence[str] = PARTITIONED
) -> list[str]:
    """Create those of the wanted partitions that are missing. Returns their names."""
    execute("SELECT pg_advisory_xact_lock(hashtext('hitstream_partitions'))")
    present = names_present(execute, tables)
    made = [partition for partition in wanted if partition.name not in present]
    if made:
        ((schema,),) = execute(SQL["schema"]).fetchall()
    for partition in made:
        for statement in partition.statements(schema):
            execute(statement)
    return [partition.name for partition in made]


def is_missing(error: Exception) -> bool:
    """Return whether a statement failed for a missing partition. Citus passes on the message of
    another server without its code."""
    reported = error.__cause__ if isinstance(error, DatabaseError) and error.__cause__ else error
    return isinstance(reported, errors.CheckViolation) or (
        isinstance(reported, psycopg.InternalError) and "no partition of relation" in str(reported)
    )


def is_installed() -> bool:
    """Return whether the migrations have been applied."""
    names = connections[db.read_alias()].introspection.table_names()
    return set(PARTITIONED) <= set(names)


def days_ahead() -> int:
    """Return for how many days ahead every partitioned table has a partition; negative without
    today's."""
    with db.read_cursor() as cursor:
        cursor.execute(SQL["partitions"], {"tables": list(PARTITIONED)})
        present = {row[0] for row in cursor.fetchall()}
    day = today = datetime.now(UTC).date()
    while all(Partition(parent, day).name in present for parent in PARTITIONED):
        day += timedelta(days=1)
    return (day - today).days - 1


def are_enough(days: int, *, wanted: float = ALARM_DAYS) -> bool:
    """Return whether so many days ahead are enough; never more than are created."""
    return days >= min(wanted, conf.PARTITION_DAYS_AHEAD)
