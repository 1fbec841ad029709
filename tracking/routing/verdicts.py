"""The routing of a hit on arrival: which integrations it was queued for, and why not for the
others.

It is computed from the token's snapshot at the revision that the hit carries, so later changes make
no difference. The storing statement decides the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from tracking.routing.switches import entries_for, is_switched_on

IntegrationSnapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingVerdict:
    """The verdict for an integration, under the name it had: `matched`, else `why` not.

    `paused` is the pause by an operator at that time.
    """

    integration_id: int
    name: str
    matched: bool
    why: str = ""
    paused: str = ""


def routing_verdicts(
    snapshot: IntegrationSnapshot, *, name: str, integrations: IntegrationSnapshot
) -> list[RoutingVerdict]:
    """Return a verdict for each integration that the token had, for a hit of that event name and
    `integrations` object."""
    return [
        _verdict(int(pk), integration, name, integrations)
        for pk, integration in snapshot.get("integrations", {}).items()
    ]


def _verdict(
    pk: int, integration: IntegrationSnapshot, name: str, integrations: IntegrationSnapshot
) -> RoutingVerdict:
    why = (
        _inactive(integration)
        or _unlisted(integration, name)
        or _switched_off(integration, integrations)
    )
    paused = integration.get("paused")
    return RoutingVerdict(
        integration_id=pk,
        name=integration["name"],
        matched=not why,
        why=why,
        paused=_pause(paused) if paused and not why else "",
    )


def _inactive(integration: IntegrationSnapshot) -> str:
    if integration["enabled"]:
        return ""
    if integration.get("deleted"):
        return _("deleted at that time")
    if integration.get("draining"):
        return _("draining: it only sent what was queued before")
    return _("disabled at that time")


def _unlisted(integration: IntegrationSnapshot, name: str) -> str:
    names = integration["event_names"]
    if not names or name in names:
        return ""
    return _("only receives %(names)s") % {"names": ", ".join(names)}


def _switched_off(integration: IntegrationSnapshot, integrations: IntegrationSnapshot) -> str:
    key = {"handle": integration["name"].lower(), "destination": integration["destination"]}
    if is_switched_on(integrations, **key):
        return ""
    entries = json.dumps(entries_for(integrations, **key), ensure_ascii=False)
    return _("the hit's own `integrations` object switches it off: %(entries)s") % {
        "entries": entries
    }


def _pause(paused: IntegrationSnapshot) -> str:
    values = {"user": paused["by"] or _("an unknown user"), "reason": paused["reason"]}
    if paused["reason"]:
        return _("Paused at that time by %(user)s: %(reason)s") % values
    return _("Paused at that time by %(user)s.") % values
