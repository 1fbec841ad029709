"""All components, and the summary for a load balancer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import Error

from tracking.conf import conf
from tracking.health import broker, database, disk, heartbeats, replica, spools
from tracking.health.component import Component, bad
from tracking.health.probe import NoAnswerError, Probe

#: Seconds to wait for what is stored in Postgres, once Postgres has answered.
PATIENCE = 0.8
#: What Django's own connection reads from Postgres, and its name if that fails.
IN_POSTGRES: tuple[tuple[str, Callable[[], list[Component]]], ...] = (
    ("Migrations", lambda: [database.of_migrations()]),
    ("Partitions", lambda: [database.of_partitions()]),
    ("Worker", heartbeats.components),
    ("Spool", spools.components),
    ("Disk", lambda: [disk.component()]),
)


def probe() -> list[Component]:
    """Return the components that are stored in Postgres, on this thread."""
    found: list[Component] = []
    for name, look in IN_POSTGRES:
        try:
            found += look()
        except Error as error:
            found.append(bad(name, f"It cannot be read: {str(error).splitlines()[0]}"))
    return found


stored = Probe(probe, patience=PATIENCE, remember=1.0)


def components() -> list[Component]:
    """Return every component, without those stored in Postgres while it does not answer. Takes at
    most two seconds, whatever hangs."""
    broker.broker.begin()
    if conf.REPLICA:
        replica.lag.begin()
    return [*database.components(), *of_stored(), *replica.components(), broker.component()]


def of_stored() -> Iterator[Component]:
    if database.reason():
        return
    try:
        yield from stored.answer()
    except NoAnswerError:
        yield bad("Tables", "They cannot be read in time: something locks them.")
