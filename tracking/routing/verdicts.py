"""Which integrations a hit was for when it arrived, and why the others were not queued it.

From the token's snapshot at the revision that the hit carries: what was changed afterwards makes no
difference. The storing statement decides the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracking.routing.switches import allows, entries_for, switches

IntegrationSnapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingVerdict:
    """Of an integration, by the name it had: whether the hit was for it, else `why` not.

    `paused` says what it was held back for by an operator at that time.
    """

    integration_id: int
    name: str
    matched: bool
    why: str = ""
    paused: str = ""


def routing_verdicts(
    snapshot: IntegrationSnapshot, *, name: str, integrations: IntegrationSnapshot
) -> list[RoutingVerdict]:
    """Of all integrations that the token had, for a hit of that event name and `integrations`
    object."""
    return [
        _judge(int(pk), integration, name, integrations)
        for pk, integration in snapshot.get("integrations", {}).items()
    ]


def _judge(
    pk: int, integration: IntegrationSnapshot, name: str, integrations: IntegrationSnapshot
) -> RoutingVerdict:
    why = (
        _standing(integration) or _listed(integration, name) or _switched(integration, integrations)
    )
    paused = integration.get("paused")
    return RoutingVerdict(
        integration_id=pk,
        name=integration["name"],
        matched=not why,
        why=why,
        paused=_held(paused) if paused and not why else "",
    )


def _standing(integration: IntegrationSnapshot) -> str:
    if integration["enabled"]:
        return ""
    if integration.get("deleted"):
        return "It was deleted."
    if integration.get("draining"):
        return "It was draining: sent what it was queued before, and queued nothing more."
    return "It was disabled."


def _listed(integration: IntegrationSnapshot, name: str) -> str:
    names = integration["event_names"]
    if not names or name in names:
        return ""
    return f"It took only these events: {', '.join(names)}."


def _switched(integration: IntegrationSnapshot, integrations: IntegrationSnapshot) -> str:
    whose = {"handle": integration["name"].lower(), "destination": integration["destination"]}
    if allows(switches(integrations), **whose):
        return ""
    said = json.dumps(entries_for(integrations, **whose), ensure_ascii=False)
    return f"The hit's own `integrations` object switched it off: {said}"


def _held(paused: IntegrationSnapshot) -> str:
    reason = f": {paused['reason']}" if paused["reason"] else "."
    return f"It was paused by {paused['by'] or 'somebody'}{reason}"
