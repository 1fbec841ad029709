"""The ids of a person: an Event in, ids that identify somebody out.

Senders fill an id that they do not know with "undefined", "null" and the like. All of a site's
visitors then become one person. Sources: "Import Events" of Mixpanel, section "Validation", whose
list of ids this is, and "Capture and batch API endpoints" of PostHog, whose list of ids that are
not merged names `anonymous`, `guest`, `distinct_id`, `not_authenticated` and `email` as well.
"""

from __future__ import annotations

from tracking.events import Event

#: In lower case.
NO_IDS = frozenset(
    {
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null"),
        *("n/a", "na", "undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
        *("guest", "distinct_id", "not_authenticated", "nan", "[object object]", "-"),
    }
)


def usable(id: str) -> str:
    """Return the id; "" if it identifies nobody."""
    return "" if id.strip().lower() in NO_IDS else id


def user_of(event: Event) -> str:
    """Return the id of the known user; "" without one."""
    return usable(event.user_id)


def browser_of(event: Event) -> str:
    """Return the anonymous id, which the browser keeps; "" without one."""
    return usable(event.anonymous_id)


def someone(event: Event) -> str:
    """Return the id of the user, else of the browser; "" if neither identifies anybody."""
    return user_of(event) or browser_of(event)
