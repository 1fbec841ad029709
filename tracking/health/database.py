"""Postgres: whether it answers, and its own figures.

The probe makes a new connection, as a new client would: the pool's connections may all be taken.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext_lazy

from tracking import db
from tracking.connection import connect
from tracking.health import pooler
from tracking.health.component import Component, bad, fill, good, poor
from tracking.health.probe import NoAnswerError, Probe
from tracking.models.hits import partitions
from tracking.sql import load

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

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


def reason() -> StrOrPromise:
    """Return why Postgres cannot be used now; empty if it can."""
    try:
        postgres.answer()
    except NoAnswerError:
        return fill(_("Postgres does not answer within %(seconds)s s."), seconds=f"{PATIENCE:g}")
    except psycopg.Error as error:
        # The address and the user name go to the log only: anybody may read a probe.
        logger.warning("Postgres refuses: %s", str(error).strip())
        return fill(
            _("Postgres refuses (%(error)s): the log says why."), error=type(error).__name__
        )
    return ""


def components() -> list[Component]:
    """Return Postgres, its connections and its clock; Postgres alone if it does not answer."""
    if why := reason():
        todo = _("Start it, or correct DATABASE_URL.")
        return [bad("Postgres", format_lazy("{} {}", why, todo))]
    found = postgres.answer()
    return [
        of_server(found),
        *([pooler.component()] if found.pooled else []),
        of_connections(found),
        of_clock(found),
    ]


def of_server(found: Postgres) -> Component:
    said = _("%(version)s, connected in %(milliseconds)s ms.")
    milliseconds = f"{found.seconds * 1000:.0f}"
    return good("Postgres", fill(said, version=found.version, milliseconds=milliseconds))


def of_connections(found: Postgres) -> Component:
    kind = gettext_noop("Connections")
    counts = {"taken": found.connections, "most": found.max_connections}
    if found.connections < CROWDED * found.max_connections:
        return good(kind, fill(_("%(taken)s of %(most)s are taken."), **counts))
    said = _(
        "%(taken)s of %(most)s are taken: raise max_connections of Postgres, or run fewer "
        "processes."
    )
    return poor(kind, fill(said, **counts))


def of_clock(found: Postgres) -> Component:
    kind, skew = gettext_noop("Clock"), abs(found.skew)
    if skew < SKEW:
        said = _("Within %(seconds)s s of Postgres's.")
        return good(kind, fill(said, seconds=f"{max(skew, 0.001):.3f}"))
    said = (
        _("%(seconds)s s behind Postgres's: run a time service on both hosts.")
        if found.skew > 0
        else _("%(seconds)s s ahead of Postgres's: run a time service on both hosts.")
    )
    return poor(kind, fill(said, seconds=f"{skew:.0f}"))


def of_migrations() -> Component:
    """Return the state of the migrations. Raises django.db.Error."""
    loader = MigrationLoader(connections[db.write_alias()])
    known = {key for key in loader.graph.nodes if key[0] == "hitstream"}
    missing = sorted(name for _, name in known - set(loader.applied_migrations))
    kind = gettext_noop("Migrations")
    if missing:
        said = _("%(names)s not applied: run `manage.py migrate`.")
        return bad(kind, fill(said, names=", ".join(missing)))
    return good(kind, _("All are applied."))


def of_partitions() -> Component:
    """Return the state of the partitions. Raises django.db.Error."""
    kind, days = gettext_noop("Partitions"), partitions.days_ahead()
    if days < 0:
        said = _("That of today is missing: run `manage.py sweep` as the owner of the tables.")
        return bad(kind, said)
    if days < 1:
        said = _("That of tomorrow is missing: run `manage.py sweep` as the owner of the tables.")
        return bad(kind, said)
    if partitions.are_enough(days):
        said = ngettext_lazy("Created %(days)s day ahead.", "Created %(days)s days ahead.", "days")
        return good(kind, fill(said, days=days))
    said = ngettext_lazy(
        "Created only %(days)s day ahead: run Celery beat, or `manage.py sweep` from cron.",
        "Created only %(days)s days ahead: run Celery beat, or `manage.py sweep` from cron.",
        "days",
    )
    return poor(kind, fill(said, days=days))
