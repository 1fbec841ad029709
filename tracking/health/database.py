"""Postgres: whether it answers, and its own figures.

The probe makes a new connection, as a new client would: the pool's connections may all be taken.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from tracking import db
from tracking.connection import connect
from tracking.health import pooler
from tracking.health.component import Component, bad, good, poor
from tracking.health.probe import NoAnswerError, Probe
from tracking.models.hits import partitions
from tracking.sql import load

logger = logging.getLogger(__name__)

#: Seconds that a page or a probe waits for Postgres.
PATIENCE = 1.0
#: Share of all connections above which the next processes may find none.
CROWDED = 0.9
#: Seconds by which clocks may differ; beyond that hits are filed under other days.
SKEW = 5.0
SQL = load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """`pooled` if a pooler answers, `seconds` is the time to connect, `skew` the lead of its clock
    over ours, `size` the database in bytes."""

    version: str
    pooled: bool
    seconds: float
    skew: float
    connections: int
    max_connections: int
    size: int


def probe() -> Postgres:
    """Connect and read the figures. Raises psycopg.Error."""
    began = time.monotonic()
    with connect(statement_timeout=2.0) as connection:
        seconds = time.monotonic() - began
        before = datetime.now(UTC)
        row = connection.execute(SQL["probe"]).fetchone()
        after = datetime.now(UTC)
    assert row is not None
    version, clock, most, taken, size = row
    skew = (clock - before - (after - before) / 2).total_seconds()
    return Postgres(
        version=version,
        pooled=connection.is_pooled,
        seconds=seconds,
        skew=skew,
        connections=taken,
        max_connections=most,
        size=size,
    )


postgres = Probe(probe, patience=PATIENCE, remember=1.0)


def reason() -> str:
    """Return why Postgres cannot be used now; empty if it can."""
    try:
        postgres.answer()
    except NoAnswerError:
        return f"Postgres does not answer within {PATIENCE:g} s."
    except psycopg.Error as error:
        # The address and the user name go to the log only: anybody may read a probe.
        logger.warning("Postgres refuses: %s", str(error).strip())
        return f"Postgres refuses ({type(error).__name__}): the log says why."
    return ""


def components() -> list[Component]:
    """Return Postgres, its connections and its clock; Postgres alone if it does not answer."""
    if why := reason():
        return [bad("Postgres", f"{why} Start it, or correct DATABASE_URL.")]
    found = postgres.answer()
    return [
        good("Postgres", f"{found.version}, connected in {found.seconds * 1000:.0f} ms."),
        *([pooler.component()] if found.pooled else []),
        of_connections(found),
        of_clock(found),
    ]


def of_connections(found: Postgres) -> Component:
    taken = f"{found.connections} of {found.max_connections} are taken"
    if found.connections < CROWDED * found.max_connections:
        return good("Connections", f"{taken}.")
    return poor(
        "Connections", f"{taken}: raise max_connections of Postgres, or run fewer processes."
    )


def of_clock(found: Postgres) -> Component:
    if abs(found.skew) < SKEW:
        return good("Clock", f"Within {max(abs(found.skew), 0.001):.3f} s of Postgres's.")
    way = "behind" if found.skew > 0 else "ahead of"
    return poor(
        "Clock", f"{abs(found.skew):.0f} s {way} Postgres's: run a time service on both hosts."
    )


def of_migrations() -> Component:
    """Return the state of the migrations. Raises django.db.Error."""
    loader = MigrationLoader(connections[db.write_alias()])
    known = {key for key in loader.graph.nodes if key[0] == "hitstream"}
    missing = sorted(name for _, name in known - set(loader.applied_migrations))
    if missing:
        return bad("Migrations", f"{', '.join(missing)} not applied: run `manage.py migrate`.")
    return good("Migrations", "All are applied.")


def of_partitions() -> Component:
    """Return the state of the partitions. Raises django.db.Error."""
    days = partitions.days_ahead()
    ahead = f"{days} day{'s' * (days != 1)}"
    if days < 1:
        return bad(
            "Partitions",
            f"That of {'today' if days < 0 else 'tomorrow'} is missing: run `manage.py sweep` as "
            "the owner of the tables.",
        )
    if partitions.are_enough(days):
        return good("Partitions", f"Created {ahead} ahead.")
    return poor(
        "Partitions",
        f"Created only {ahead} ahead: run Celery beat, or `manage.py sweep` from cron.",
    )
