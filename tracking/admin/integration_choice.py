"""The first step of a new integration: the destinations, by category, to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracking.destinations.contract import registry
from tracking.destinations.contract.categories import CATEGORIES
from tracking.destinations.contract.destination import Destination

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Group:
    label: StrOrPromise
    destinations: list[type[Destination]]


def destination_groups(words: str) -> list[Group]:
    """Return the destinations in which all of these words occur, by category."""
    found = [each for each in registry.all_destinations() if matches(each, words)]
    groups = [
        Group(label, [each for each in found if category_of(each) == category])
        for category, label in CATEGORIES.items()
    ]
    return [group for group in groups if group.destinations]


def matches(destination: type[Destination], words: str) -> bool:
    text = search_text(destination)
    return all(word in text for word in words.casefold().split())


def search_text(destination: type[Destination]) -> str:
    label = CATEGORIES[category_of(destination)]
    names = (destination.label, destination.slug, *destination.aliases, destination.summary, label)
    return " ".join(str(each) for each in names).casefold()


def category_of(destination: type[Destination]) -> str:
    return destination.category if destination.category in CATEGORIES else "other"


def ready_name(label: str, taken: Iterable[str]) -> str:
    """Return the first of "Webhook", "Webhook 2" and so on that is not taken."""
    names = {name.casefold() for name in taken}
    number, name = 1, label
    while name.casefold() in names:
        number += 1
        name = f"{label} {number}"
    return name
