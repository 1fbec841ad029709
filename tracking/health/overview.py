"""All components, and the summary for a load balancer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import Error
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tracking.conf import conf
from tracking.health import broker, database, disk, heartbeats, replica, spools
from tracking.health.component import Component, bad, fill
from tracking.health.probe import NoAnswerError, Probe

#: Seconds to wait for what is stored in Postgres, once Postgres has answered.
PATIENCE = 0.8
#: What Django's own connection reads from Postgres, and its name if that fails.
IN_POSTGRES: tuple[tuple[str, Callable[[], list[Component]]], ...] = (
    (gettext_noop("Migrations"), lambda: [database.of_migrations()]),
    (gettext_noop("Partitions"), lambda: [database.of_partitions()]),
    (gettext_noop("Worker"), heartbeats.components),
    (gettext_noop("Spool"), spools.components),
    (gettext_noop("Disk"), lambda: [disk.component()]),
)


def probe() -> list[Component]:
    """Return the components that are stored in Postgres, on this thread."""
    found: list[Component] = []
    for kind, look in IN_POSTGRES:
        try:
            found += look()
        except Error as error:
            reason = str(error).splitlines()[0]
            found.append(bad(kind, fill(_("It cannot be read: %(reason)s"), reason=reason)))
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
        yield bad(gettext_noop("Tables"), _("They cannot be read in time: something locks them."))
