"""What a vendor does not get of an event, and why.

A Rule is one of a fixed list for each destination. Its words hold nothing of the sender's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tracking.destinations.spec.origins import Path, sender_values
from tracking.events import Event


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a value is left out. `reason` is a sentence for the operator, `source` the vendor's page
    that says so and its section."""

    code: str
    reason: str
    source: str


#: The values that a request lacks, by their paths. A path stands for everything below it.
LeftOut = dict[Path, Rule]


def without(event: Event, sent: Collection[Path], rule: Rule) -> LeftOut:
    """Return the values of the sender that are not below one of the `sent` paths, each with the
    rule."""
    known = frozenset(sent)
    return {path: rule for path, _ in sender_values(event) if not is_below(path, known)}


def under(prefix: str, paths: Iterable[Path], rule: Rule) -> LeftOut:
    """Return the paths, each below `prefix`, with the rule."""
    return {(prefix, *path): rule for path in paths}


def is_below(path: Path, known: Collection[Path]) -> bool:
    """Return whether the path or one of its beginnings is known."""
    return path in known or any(path[:length] in known for length in range(1, len(path)))
