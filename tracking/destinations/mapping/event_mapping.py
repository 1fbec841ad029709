"""The mapping of an integration: what an operator changes about events before they are sent,
without code.

The order is: sample the users, check the condition, rename the event, set fields, hash fields, drop
fields.
"""

from __future__ import annotations

import copy
import hashlib
import re
import time
from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping import document as documents
from tracking.destinations.mapping import expressions
from tracking.destinations.mapping.document import Document
from tracking.events import Event
from tracking.exceptions import PermanentError, RetryableError

#: Seconds that the mapping of one event may take. A slower event is retried, and finally becomes a
#: dead letter: the machine may have been slow, or the event is the cause. See `expressions`.
TIME_LIMIT = 0.25
SHA256 = re.compile(r"[0-9a-f]{64}")


class Skipped(Exception):
    """The event is not sent. The text is the reason, for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMapping:
    """`condition` is a CEL expression, empty to accept every event; `percent` is the share of users
    that are sampled. `rename` maps names, `set` maps dotted targets to JMESPath expressions; `hash`
    and `drop` are dotted fields."""

    condition: str = ""
    percent: float = 100.0
    rename: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    hash: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @classmethod
    def load(cls, stored: AnyMapping[str, Any]) -> Self:
        return cls(
            condition=stored.get("condition", ""),
            percent=stored.get("percent", 100.0),
            rename=tuple((old, new) for old, new in stored.get("rename", ())),
            set=tuple((target, text) for target, text in stored.get("set", ())),
            hash=tuple(stored.get("hash", ())),
            drop=tuple(stored.get("drop", ())),
        )

    def dump(self) -> dict[str, Any]:
        """Return the values that differ from the default, as JSON."""
        default = asdict(EventMapping())
        return {name: value for name, value in asdict(self).items() if value != default[name]}

    @property
    def changes(self) -> bool:
        return bool(self.rename or self.set or self.hash or self.drop)

    def apply(self, event: Event) -> Event:
        """Return the event as the destination receives it. Raises Skipped, PermanentError if an
        expression fails, and RetryableError if the mapping takes too long."""
        started = time.monotonic()
        if not is_sampled(event, self.percent):
            raise Skipped(f"The user is not in the sample of {self.percent:g} %.")
        if not (self.condition or self.changes):
            return event
        document = documents.read(event)
        try:
            self._decide(document)
            mapped = self._change(event, document) if self.changes else event
        except expressions.ExpressionError as error:
            raise PermanentError(f"The mapping of the integration failed: {error}") from None
        if time.monotonic() - started > TIME_LIMIT:
            raise RetryableError("The mapping of the integration takes too long: simplify it.")
        return mapped

    def _decide(self, document: Document) -> None:
        if not self.condition:
            return
        try:
            holds = expressions.condition(self.condition).holds(document)
        except LookupError as error:
            raise Skipped(f"The condition reads {error}, which the event does not have.") from None
        if not holds:
            raise Skipped("The condition is not met.")

    def _change(self, event: Event, document: Document) -> Event:
        values = [(target, expressions.path(text).find(document)) for target, text in self.set]
        changed = copy.deepcopy({name: document[name] for name in documents.OBJECTS})
        document = {**document, **changed}
        document["name"] = dict(self.rename).get(document["name"], document["name"])
        for target, value in values:
            if value is not None:
                self._put(document, target, value, event.type)
        for fields, how in ((self.hash, digest), (self.drop, lambda value: None)):
            for field in fields:
                for spelled in documents.spellings(field, event.type):
                    change(document, spelled.split("."), how)
        return documents.write(event, document)

    def _put(self, document: Document, target: str, value: Any, type: str) -> None:
        """Set the target, and its second place: destinations read address, browser and group from
        the context first."""
        put(document, target.split("."), copy.deepcopy(value))
        for spelled in documents.spellings(target, type)[1:] if "." not in target else ():
            change(document, spelled.split("."), lambda old: copy.deepcopy(value))


def prepare(event: Event, mapping: EventMapping, destination: Destination) -> Event:
    """Return the event as it is sent to the destination. Raises Skipped and as `apply` does."""
    mapped = mapping.apply(event)
    if reason := destination.skip(mapped):
        raise Skipped(reason)
    return mapped


def is_sampled(event: Event, percent: float) -> bool:
    """Return whether the event's user is in the sample. All events of a user are treated alike."""
    if percent >= 100:
        return True
    user = event.anonymous_id or event.user_id
    share = int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big") / 2**32
    return share * 100 < percent


def put(document: Document, target: list[str], value: Any) -> None:
    """Set the value at the target. Values that block the path are replaced by objects."""
    *above, last = target
    for name in above:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    document[last] = value


def change(document: Document, field: list[str], how: Any) -> None:
    """Replace the field, if it exists, by the result of `how`; None removes it."""
    *above, last = field
    for name in above:
        inner = document.get(name)
        if not isinstance(inner, dict):
            return
        document = inner
    if last in document:
        value = how(document[last])
        if value is None:
            del document[last]
        else:
            document[last] = value


def digest(value: Any) -> Any:
    """Return SHA-256 as vendors expect it: of an e-mail address trimmed and in lower case, of
    another text trimmed. A value that is a digest already is kept; a list is hashed item by item;
    an empty value stays empty."""
    if isinstance(value, list):
        return [digest(each) for each in value]
    if isinstance(value, (dict, bool)) or value in (None, ""):
        return value
    text = str(value).strip()
    if SHA256.fullmatch(text):
        return text
    return hashlib.sha256((text.lower() if "@" in text else text).encode()).hexdigest()
