"""What a vendor does not get of an event, and why.

A Rule is one of a fixed list for each destination. Its words hold nothing of the sender's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracking.destinations.spec.origins import Path, sender_values
from tracking.events import Event

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: In place of a quotation: the vendor's page cannot be read without signing in or a browser.
NO_PAGE = "not quoted: page not available"
#: In place of a quotation: the page shows it by its fields or examples only.
NO_SENTENCE = "not quoted: the page has no sentence for it"
#: Why a name that is taken cannot be sent a second time: its title, its address and its words.
JSON_NAMES = (
    "RFC 8259, section 4",
    "https://www.rfc-editor.org/rfc/rfc8259#section-4",
    "The names within an object SHOULD be unique.",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a value is left out. `reason` is a sentence for the operator, lazy so that it is
    translated where it is shown; `source` the title of the page that says so and its section, `url`
    its address, and `quote` its own words, at most one sentence, or NO_PAGE or NO_SENTENCE."""

    code: str
    reason: StrOrPromise
    source: str
    url: str
    quote: str


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
