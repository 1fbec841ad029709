"""The integrations that a hit's `integrations` object switches on and off (the Segment convention).

`{"All": false, "Webhook": true}`: an integration is switched by its own name, else by its
destination's label, slug or alias, else by All. An object of options means on. If entries
contradict each other, as in `{"Webhook": true, "webhook": false}`, off wins: their order is not
stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.destinations.contract import registry

Switches = dict[str, dict[str, bool]]


def switches(integrations: Mapping[str, Any]) -> Switches | None:
    """Return the switches: integrations by their lower-case `names`, `destinations` by slug, and
    `all` for the others; None without any entry."""
    if not integrations:
        return None
    switched: Switches = {"names": {}, "destinations": {}, "all": {}}
    for name, value in integrations.items():
        if value is None:
            continue
        on = value is not False
        if name.lower() == "all":
            _switch(switched["all"], "all", on)
            continue
        _switch(switched["names"], name.lower(), on)
        for slug in registry.slugs_named(name):
            _switch(switched["destinations"], slug, on)
    return switched


def _switch(switches: dict[str, bool], key: str, on: bool) -> None:
    switches[key] = on and switches.get(key, True)


def allows(switched: Switches | None, *, handle: str, destination: str) -> bool:
    """Return whether an integration stays on, as the storing statement decides it."""
    if switched is None:
        return True
    default = switched["all"].get("all", True)
    return switched["names"].get(handle, switched["destinations"].get(destination, default))


def is_switched_on(
    integrations: Mapping[str, Any] | None, *, handle: str, destination: str
) -> bool:
    """Return whether a hit with this `integrations` object leaves an integration switched on."""
    return allows(switches(integrations or {}), handle=handle, destination=destination)


def entries_for(
    integrations: Mapping[str, Any], *, handle: str, destination: str
) -> Mapping[str, Any]:
    """Return the entries that decide whether an integration stays on; empty if no entry names
    it."""
    entries = {name: value for name, value in integrations.items() if value is not None}
    everything = {name: value for name, value in entries.items() if name.lower() == "all"}
    named = {name: value for name, value in entries.items() if name not in everything}
    own = {name: value for name, value in named.items() if name.lower() == handle}
    kind = {n: value for n, value in named.items() if destination in registry.slugs_named(n)}
    return own or kind or everything
