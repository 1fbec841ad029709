"""What a hit's `integrations` object switches on and off (the Segment convention).

`{"All": false, "Webhook": true}`: integrations by their own name, else by their destination's
label, slug or alias, else all of them. An object of options means on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.destinations import registry

Switches = dict[str, dict[str, bool]]


def switches(integrations: Mapping[str, Any]) -> Switches | None:
    """Integrations by their lower-case `names`, `destinations` by slug, and `all` the others; None
    where nothing is said."""
    found: Switches = {"names": {}, "destinations": {}, "all": {}}
    for name, value in integrations.items():
        if value is None:
            continue
        on = value is not False
        if name.lower() == "all":
            found["all"]["all"] = on
            continue
        found["names"][name.lower()] = on
        found["destinations"].update(dict.fromkeys(registry.slugs_named(name), on))
    return found if integrations else None


def allows(found: Switches | None, *, handle: str, destination: str) -> bool:
    """Whether an integration is left on, as the storing statement decides it."""
    if found is None:
        return True
    default = found["all"].get("all", True)
    return found["names"].get(handle, found["destinations"].get(destination, default))
