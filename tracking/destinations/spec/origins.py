"""Where a value came from: objects of the sender in, values and their paths in the event out.

A path is a tuple of keys: `("properties", "transaction", "lineItems", "0", "product", "id")`. It
begins with `properties` or `traits`; a place in a list is its number as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from tracking.destinations.spec.coerce import Number, plain, to_number
from tracking.events import Event, read_once

Path = tuple[str, ...]
T = TypeVar("T")

#: Names in the traits that are ids of the event itself.
IDS = frozenset({"userId", "anonymousId", "emailHash"})


def once(read: Callable[[Event], T]) -> Callable[[Event], T]:
    """Make a reader that reads an event once, however often it is called."""

    @wraps(read)
    def reader(event: Event) -> T:
        return read_once(read, event)

    return reader


class Place(NamedTuple):
    """An object of the sender and its path."""

    path: Path
    raw: Mapping[str, Any]

    def inside(self, name: str) -> Place:
        """Return the object under this name; an empty one without it."""
        value = self.raw.get(name)
        return Place((*self.path, name), value if isinstance(value, dict) else {})


class Origins(dict[str, Path]):
    """The paths that the fields of a value were read from.

    A field that was calculated, or that the sender does not state, has none.
    """

    def text(self, field: str, places: Sequence[Place], *names: str) -> str:
        """Return the first non-empty text under these names, in the order of the names and then of
        the places; "" if there is none."""
        return self.first(field, places, names, plain) or ""

    def number(self, field: str, places: Sequence[Place], *names: str) -> Number | None:
        """Return the first finite number in the same order; None if there is none."""
        return self.first(field, places, names, to_number)

    def first(
        self,
        field: str,
        places: Sequence[Place],
        names: Sequence[str],
        read: Callable[[Any], T | None],
    ) -> T | None:
        """Return the first value that `read` makes something of: neither None nor empty text."""
        for name in names:
            for place in places:
                if (stated := place.raw.get(name)) is None:
                    continue
                value = read(stated)
                if value is not None and value != "":
                    self[field] = (*place.path, name)
                    return value
        return None


def properties_of(event: Event) -> Place:
    return Place(("properties",), event.properties)


def traits_of(event: Event) -> Place:
    return Place(("traits",), event.traits)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that is no object and no list, and every empty object and list, with its
    path."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, (*path, str(index)))
    else:
        yield path, value


def sender_values(event: Event) -> Iterator[tuple[Path, Any]]:
    """Yield every value of the event's properties and traits; its ids apart."""
    for name, value in event.properties.items():
        yield from leaves(value, ("properties", name))
    for name, value in event.traits.items():
        if name not in IDS:
            yield from leaves(value, ("traits", name))


def is_listed(value: Any, path: Path) -> bool:
    """Return whether the path, from this value on, leads through a list."""
    for part in path:
        if isinstance(value, list):
            return True
        value = value.get(part) if isinstance(value, dict) else None
    return False
