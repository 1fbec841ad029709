"""The spools of the nodes: hits that wait there for Postgres, as the nodes last reported."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tracking.health.component import Component, good, poor
from tracking.models import NodeSpool

#: How long a hit may wait, and how full a spool may be, before an operator must act.
LONG, FULL = timedelta(minutes=1), 0.8
REMEDY = "the node's web processes store them once they reach Postgres."


def components() -> list[Component]:
    """Return the spool of each node that has one. Raises django.db.Error."""
    return [component_of(each) for each in NodeSpool.objects.present()]


def component_of(spool: NodeSpool) -> Component:
    name = f"Spool {spool.node}"
    if spool.age(timezone.now()) < LONG and spool.share < FULL:
        return good(name, f"{spool}.")
    return poor(name, f"{spool}: {REMEDY}")
