"""The replica: how far it lags, and whether pages read from it."""

from __future__ import annotations

from django.db import Error, connections

from tracking.conf import conf
from tracking.health.component import Component, good, poor
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
    instead = "pages read from the primary"
    try:
        seconds = lag.answer()
    except NoAnswerError:
        return [poor("Replica", f"It does not answer within {PATIENCE:g} s: {instead}.")]
    except Error as error:
        return [poor("Replica", f"It refuses ({type(error).__name__}): {instead}.")]
    if seconds > conf.REPLICA_LAG:
        return [poor("Replica", f"It lags {seconds:,.0f} s, more than REPLICA_LAG: {instead}.")]
    return [good("Replica", f"It lags {seconds:.1f} s.")]
