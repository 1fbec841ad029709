"""What the documents of some hits hold, by path: types, how often, and the most frequent values."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tracking.destinations.mapping.document import OBJECTS, VARIABLES, Document

#: Levels below the document, items of a list, paths, distinct values of a path and characters of a
#: value, at most.
MOST_LEVELS, MOST_ITEMS, MOST_PATHS, MOST_VALUES, MOST_CHARACTERS = 8, 20, 400, 500, 80
#: Values after which no further document is read.
MOST_READ = 25_000
#: Values that are shown.
SHOWN = 5
#: The share of a path's texts that makes it look like personal data.
PERSONAL = 0.1
#: Each item of a list, as a step of a path.
EACH = None
Step = str | None
Path = tuple[Step, ...]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{5,20}[0-9]")
PHONE_NAME = re.compile(r"phone|mobile|msisdn|\btel\b", re.IGNORECASE)
#: Fields of the document that say nothing about the event.
LEFT_OUT = frozenset({"id", "hitId", "name", "type", "sentAt", "receivedAt", "occurredAt"})
FIELDS = sorted(VARIABLES - LEFT_OUT)


class ValueType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    OBJECT = "object"
    LIST = "list"
    TIME = "time"


#: The types that have one value.
SCALARS = frozenset({ValueType.STRING, ValueType.NUMBER, ValueType.BOOLEAN, ValueType.TIME})


class PersonalData(StrEnum):
    EMAIL = "email"
    IP = "ip"
    PHONE = "phone"


@dataclass(slots=True)
class PathStats:
    """What is at a path. `hits` have a value there that is not null; `texts` are the texts among
    the `values`; `children` are the paths one step further."""

    path: Path
    hits: int = 0
    count: int = 0
    texts: int = 0
    types: Counter[ValueType] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    kinds: Counter[PersonalData] = field(default_factory=Counter)
    children: dict[Step, PathStats] = field(default_factory=dict)
    #: The number of the last hit that has a value.
    last: int = -1

    @property
    def root(self) -> str:
        return str(self.path[0])

    @property
    def text(self) -> str:
        """The path as JMESPath."""
        return jmespath_of(self.path)

    @property
    def personal(self) -> PersonalData | None:
        """What personal data the values look like; None if they do not."""
        kind, count = next(iter(self.kinds.most_common(1)), (None, 0))
        return kind if count and count >= PERSONAL * self.texts else None

    @property
    def samples(self) -> list[tuple[str, float]]:
        """The most frequent values, each with its share of all values."""
        return [(text, count / self.count) for text, count in self.values.most_common(SHOWN)]

    @property
    def breakdown(self) -> str:
        """The property that analytics can count by: at the top level, with one value. Empty if it
        cannot."""
        is_top = len(self.path) == 2 and self.root == "properties"
        return str(self.path[1]) if is_top and SCALARS & set(self.types) else ""


@dataclass(frozen=True, slots=True)
class PathReport:
    """What so many hits hold, by path; the fields of the document first, then properties, traits
    and context."""

    paths: list[PathStats]
    hits: int


def path_report(documents: Iterable[Document]) -> PathReport:
    """Return what the documents hold, of as many of the first as have MOST_READ values."""
    reader = _Reader()
    hits = 0
    for document in documents:
        reader.read(hits, document)
        hits += 1
        if reader.values > MOST_READ:
            break
    order = {name: place for place, name in enumerate(OBJECTS, start=1)}
    found = [stats for stats in reader.found if stats.types]
    found.sort(key=lambda each: (order.get(each.root, 0), *map(str, each.path)))
    return PathReport(found, hits)


def jmespath_of(path: Path) -> str:
    """Return the path as JMESPath; each item of a list is `[]`."""
    return "".join(
        "[]" if step is EACH else f"{'.' if place else ''}{quoted(step)}"
        for place, step in enumerate(path)
    )


def cel_of(path: Path) -> str:
    """Return the path as CEL; empty within a list, over which conditions cannot iterate."""
    if EACH in path:
        return ""
    steps = [str(step) for step in path]
    return steps[0] + "".join(
        f".{step}" if NAME.fullmatch(step) else f"[{json.dumps(step)}]" for step in steps[1:]
    )


def field_of(path: Path) -> str:
    """Return the path as the dotted field of a mapping; empty if it cannot be written so."""
    if EACH in path or any("." in str(step) or "\n" in str(step) for step in path):
        return ""
    return ".".join(map(str, path))


def quoted(step: str) -> str:
    return step if NAME.fullmatch(step) else json.dumps(step, ensure_ascii=False)


def type_of(value: Any) -> ValueType:
    if isinstance(value, str):
        is_time = value[:4].isdecimal() and TIME.fullmatch(value)
        return ValueType.TIME if is_time else ValueType.STRING
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    if isinstance(value, dict):
        return ValueType.OBJECT
    if isinstance(value, list):
        return ValueType.LIST
    return ValueType.NULL if value is None else ValueType.NUMBER


def personal_data_of(name: str, text: str) -> PersonalData | None:
    """Return what the text looks like, for a field of that name. A number is a phone number only
    with a plus sign or under such a name: ids of orders are as long."""
    if "@" in text:
        return PersonalData.EMAIL if EMAIL.fullmatch(text) else None
    if len(text) <= 45 and (text.count(".") == 3 or text.count(":") > 1):
        with suppress(ValueError):
            ipaddress.ip_address(text)
            return PersonalData.IP
    is_named = text.startswith("+") or PHONE_NAME.search(name)
    return PersonalData.PHONE if is_named and PHONE.fullmatch(text) else None


class _Reader:
    """Reads documents into a tree of paths: no path is made or compared for a value."""

    def __init__(self) -> None:
        self.root = PathStats(())
        self.found: list[PathStats] = []
        self.values = 0

    def read(self, hit: int, document: Document) -> None:
        for name in FIELDS:
            value = document.get(name)
            if name not in OBJECTS:
                if value and (stats := self._child(self.root, name)):
                    self._add(stats, hit, value)
            elif value and (stats := self._child(self.root, name)):
                self._inside(stats, hit, value)

    def _child(self, parent: PathStats, step: Step) -> PathStats | None:
        """Return the path one step further; None if there are too many."""
        stats = parent.children.get(step)
        if stats is None and len(self.found) < MOST_PATHS:
            stats = parent.children[step] = PathStats((*parent.path, step))
            self.found.append(stats)
        return stats

    def _inside(self, parent: PathStats, hit: int, value: Any) -> None:
        """Read what is inside the value, and all below it."""
        if len(parent.path) > MOST_LEVELS:
            return
        if isinstance(value, list):
            if inside := self._child(parent, EACH):
                self._items(inside, hit, value)
            return
        for name, each in value.items():
            if stats := self._child(parent, name):
                self._add(stats, hit, each)
                if isinstance(each, (dict, list)):
                    self._inside(stats, hit, each)

    def _items(self, inside: PathStats, hit: int, value: list[Any]) -> None:
        for each in value[:MOST_ITEMS]:
            if isinstance(each, (dict, list)):
                self._inside(inside, hit, each)
            else:
                self._add(inside, hit, each)

    def _add(self, stats: PathStats, hit: int, value: Any) -> None:
        self.values += 1
        kind = type_of(value)
        stats.types[kind] += 1
        if kind is ValueType.NULL:
            return
        if stats.last != hit:
            stats.last = hit
            stats.hits += 1
        if kind is ValueType.OBJECT or kind is ValueType.LIST:
            return
        stats.count += 1
        if isinstance(value, str):
            stats.texts += 1
            name = next((step for step in reversed(stats.path) if step is not EACH), "")
            if kind is ValueType.STRING and (personal := personal_data_of(name or "", value[:400])):
                stats.kinds[personal] += 1
            text = value
        else:
            text = json.dumps(value)
        shown = text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
        if shown in stats.values or len(stats.values) < MOST_VALUES:
            stats.values[shown] += 1
