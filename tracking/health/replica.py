"""The replica: how far it lags, and whether pages read from it."""

from __future__ import annotations

from django.db import Error, connections
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tracking.conf import conf
from tracking.health.component import Component, fill, good, poor
from tracking.health.probe import NoAnswerError, Probe
from tracking.sql import load

#: Seconds that a page waits for the replica before it reads from the primary.
PATIENCE = 0.5
SQL = load(__file__)


def probe() -> float:
    """Return the replica's lag in seconds. Raises django.db.Error."""
    with connections[conf.REPLICA].cursor() as cursor:
        cursor.execute(SQL["lag"])
        return float(cursor.fetchone()[0])


lag = Probe(probe, patience=PATIENCE, remember=1.0)


def is_usable() -> bool:
    """Return whether the replica answers and lags no more than REPLICA_LAG, as of the last
    second."""
    try:
        return lag.answer() <= conf.REPLICA_LAG
    except (NoAnswerError, Error):
        return False


def components() -> list[Component]:
    """Return the replica, if there is one."""
    if not conf.REPLICA:
        return []
    kind = gettext_noop("Replica")
    try:
        seconds = lag.answer()
    except NoAnswerError:
        fault = _("It does not answer within %(seconds)s s: pages read from the primary.")
        return [poor(kind, fill(fault, seconds=f"{PATIENCE:g}"))]
    except Error as error:
        fault = _("It refuses (%(error)s): pages read from the primary.")
        return [poor(kind, fill(fault, error=type(error).__name__))]
    if seconds > conf.REPLICA_LAG:
        fault = _("It lags %(seconds)s s, more than REPLICA_LAG: pages read from the primary.")
        return [poor(kind, fill(fault, seconds=f"{seconds:,.0f}"))]
    return [good(kind, fill(_("It lags %(seconds)s s."), seconds=f"{seconds:.1f}"))]
