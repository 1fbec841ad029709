"""The spools of the nodes: hits that wait there for Postgres, as the nodes last reported."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tracking.health.component import Component, fill, good, poor
from tracking.models import NodeSpool

#: How long a hit may wait, and how full a spool may be, before an operator must act.
LONG, FULL = timedelta(minutes=1), 0.8
REMEDY = _("%(spool)s: the node's web processes store them once they reach Postgres.")


def components() -> list[Component]:
    """Return the spool of each node that has one. Raises django.db.Error."""
    return [component_of(each) for each in NodeSpool.objects.present()]


def component_of(spool: NodeSpool) -> Component:
    kind = gettext_noop("Spool")
    if spool.age(timezone.now()) < LONG and spool.share < FULL:
        return good(kind, fill("%(spool)s.", spool=spool), spool.node)
    return poor(kind, fill(REMEDY, spool=spool), spool.node)
