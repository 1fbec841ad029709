"""The mapping of an integration: what an operator changes about events before they are sent,
without code.

The order is: sample the users, check the condition, rename the event, set fields, hash fields, drop
fields.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from tracking.destinations.contract.destination import Destination
from tracking.destinations.mapping import document as documents
from tracking.destinations.mapping.document import Document
from tracking.destinations.mapping.evaluator import evaluator
from tracking.destinations.mapping.protocol import MISSING, SET, UNMET
from tracking.events import Event
from tracking.exceptions import PermanentError, RetryableError

#: Events whose documents are evaluated at once, at most.
SLICE = 200
#: Lines of each list, at most.
MAX_LINES = {"rename": 500, "set": 50, "hash": 100, "drop": 100}
SHA256 = re.compile(r"[0-9a-f]{64}")


class Skipped(Exception):
    """The event is not sent. The text is the reason, for the operator."""


#: What became of an event: the event as the destination receives it, or why it is not sent.
Outcome = Event | Exception


@dataclass(frozen=True, kw_only=True)
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

    @property
    def has_expressions(self) -> bool:
        """Whether the evaluator's process is needed."""
        return bool(self.condition or self.set)

    @cached_property
    def names(self) -> dict[str, str]:
        return dict(self.rename)

    def apply(self, event: Event) -> Event:
        """Return the event as the destination receives it. Raises Skipped, PermanentError if an
        expression fails, SetupError if one takes too long, and RetryableError."""
        (outcome,) = self.apply_all((event,))
        if isinstance(outcome, Event):
            return outcome
        raise outcome

    def apply_all(self, events: Sequence[Event]) -> list[Outcome]:
        """Return the outcome of each event. Raises SetupError if an expression takes too long."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(events):
            outcomes += self.apply_some(events[len(outcomes) :])
        return outcomes

    def apply_some(self, events: Sequence[Event]) -> list[Outcome]:
        """Return the outcomes of the first events, of one at least: of as many as can be evaluated
        in one turn. Raises SetupError if an expression takes too long."""
        if not self.has_expressions:
            return [self._change_sampled(event) for event in events]
        sampled = [event for event in events[:SLICE] if is_sampled(event, self.percent)]
        read = [documents.read(event) for event in sampled]
        evaluated = zip(read, self._evaluate(read) if read else (), strict=False)
        outcomes: list[Outcome] = []
        for event in events[:SLICE]:
            if not is_sampled(event, self.percent):
                outcomes.append(self._not_sampled())
            elif (found := next(evaluated, None)) is not None:
                outcomes.append(self._conclude(event, *found))
            else:
                break
        return outcomes

    def _evaluate(self, read: list[Document]) -> Sequence[tuple[int, Any] | RetryableError]:
        try:
            return evaluator.evaluate(self.condition, [text for _, text in self.set], read)
        except RetryableError as error:
            return [error] * len(read)

    def _conclude(
        self, event: Event, document: Document, result: tuple[int, Any] | RetryableError
    ) -> Outcome:
        """Return the outcome of the evaluator's result."""
        if isinstance(result, RetryableError):
            return result
        code, value = result
        if code == SET:
            return self._change(event, document, value)
        if code == UNMET:
            return Skipped("The condition is not met.")
        if code == MISSING:
            return Skipped(f"The condition reads {value}, which the event does not have.")
        return PermanentError(f"The mapping of the integration failed: {value}")

    def _change_sampled(self, event: Event) -> Outcome:
        if not is_sampled(event, self.percent):
            return self._not_sampled()
        return self._change(event, documents.read(event), ()) if self.changes else event

    def _change(self, event: Event, document: Document, values: Sequence[Any]) -> Outcome:
        if not self.changes:
            return event
        try:
            return self._changed(event, document, values)
        except Exception as error:
            return error

    def _not_sampled(self) -> Skipped:
        return Skipped(f"The user is not in the sample of {self.percent:g} %.")

    def _changed(self, event: Event, document: Document, values: Sequence[Any]) -> Event:
        """Return the event with all changes; `values` are those of `set`, None for those that are
        not set."""
        changed = copy.deepcopy({name: document[name] for name in documents.OBJECTS})
        document = {**document, **changed}
        document["name"] = self.names.get(document["name"], document["name"])
        for (target, _), value in zip(self.set, values, strict=True):
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
    outcome = judge(mapping.apply(event), destination)
    if isinstance(outcome, Event):
        return outcome
    raise outcome


def judge(outcome: Outcome, destination: Destination) -> Outcome:
    """Return the outcome; Skipped if the destination has no use for the event."""
    if isinstance(outcome, Event) and (reason := destination.skip(outcome)):
        return Skipped(reason)
    return outcome


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
