"""All parts, and what of them a load balancer is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import Error

from tracking.health import broker, database, disk, heartbeats
from tracking.health.component import Part, bad
from tracking.health.probe import NoAnswerError, Question

#: How long what is in Postgres is waited for, in seconds, once Postgres has answered.
PATIENCE = 0.8
#: What Postgres is asked by Django's own connection, and how it is called if that fails.
IN_POSTGRES: tuple[tuple[str, Callable[[], list[Part]]], ...] = (
    ("Migrations", lambda: [database.of_migrations()]),
    ("Partitions", lambda: [database.of_partitions()]),
    ("Worker", heartbeats.parts),
    ("Disk", lambda: [disk.part()]),
)


def ask() -> list[Part]:
    """What is in Postgres, on this thread."""
    found: list[Part] = []
    for name, look in IN_POSTGRES:
        try:
            found += look()
        except Error as error:
            found.append(bad(name, f"It cannot be told: {str(error).splitlines()[0]}"))
    return found


stored = Question(ask, patience=PATIENCE, remember=1.0)


def parts() -> list[Part]:
    """Every part; those that are asked of Postgres are missing where it does not answer. Within two
    seconds, whatever hangs."""
    broker.broker.begin()
    return [*database.parts(), *of_stored(), broker.part()]


def of_stored() -> Iterator[Part]:
    if database.reason():
        return
    try:
        yield from stored.answer()
    except NoAnswerError:
        yield bad("Tables", "They cannot be read in time: something locks them.")
