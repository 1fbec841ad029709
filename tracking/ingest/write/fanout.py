"""How many deliveries a hit may queue: a statement is bounded by hits times integrations.

In: the number of a token's enabled integrations, from each look-up of the token. Out: how many of
the waiting hits the next statement takes. The number may be some seconds old: it decides on speed,
never on what is queued.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracking import process
from tracking.conf import conf
from tracking.ingest.parse.arrival import Arrival

_counts: dict[int, int] = {}
#: The tokens whose hits may exceed a statement's deliveries before its rows.
_heavy: set[int] = set()


def note(token_id: int, integrations: int) -> None:
    """Keep the number of the token's enabled integrations."""
    _counts[token_id] = integrations
    if integrations * conf.MAX_STATEMENT_ROWS > conf.MAX_STATEMENT_DELIVERIES:
        _heavy.add(token_id)
    else:
        _heavy.discard(token_id)


def forget() -> None:
    _counts.clear()
    _heavy.clear()


def weight(arrival: Arrival) -> int:
    """Return how many deliveries the hit may queue, as far as that matters for a statement."""
    return _counts[arrival.token_id] if arrival.token_id in _heavy else 0


def hits_in_statement(integrations: int) -> int:
    """Return how many hits of a token with so many integrations one statement stores at most."""
    return max(1, conf.MAX_STATEMENT_DELIVERIES // max(1, integrations))


def hits_at_once(token_id: int) -> int:
    """Return the same for a known token."""
    return hits_in_statement(_counts.get(token_id, 0))


def fitting(arrivals: Iterable[Arrival]) -> int:
    """Return how many of the first hits one statement stores, at least one."""
    if not _heavy:
        return conf.MAX_STATEMENT_ROWS
    taken, deliveries = 0, 0
    for arrival in arrivals:
        deliveries += weight(arrival)
        if taken and deliveries > conf.MAX_STATEMENT_DELIVERIES:
            break
        taken += 1
    return min(max(taken, 1), conf.MAX_STATEMENT_ROWS)


process.on_forget(forget)
