"""What an operator may change about events, and what can go wrong with it."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.samples import SAMPLES
from tracking.destinations.mapping import document, expressions
from tracking.destinations.mapping.event_mapping import EventMapping, Skipped, digest
from tracking.destinations.mapping.expression_error import ExpressionError
from tracking.events import Event
from tracking.exceptions import PermanentError

SEED, SALE, IDENTIFY, PAGE = (SAMPLES[n] for n in ("seed", "transaction", "identify", "page"))


ITEMS = "properties.transaction.lineItems"


def applied(event: Event = SALE, **mapping: Any) -> Event:
    return EventMapping.load(json.loads(json.dumps(mapping))).apply(event)


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES)
def test_without_a_mapping_an_event_is_as_it_was(event: Event) -> None:
    assert applied(event) is event
    assert document.read(document.write(event, document.read(event))) == document.read(event)


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES)
def test_a_changed_event_keeps_its_shape_and_its_ids(event: Event) -> None:
    changed = applied(event, set=[("properties.source", "'shop'")])
    assert changed.properties == {**event.properties, "source": "shop"}
    assert (changed.id, changed.hit_id, changed.type) == (event.id, event.hit_id, event.type)
    assert (changed.user_id, changed.anonymous_id) == (event.user_id, event.anonymous_id)
    assert changed.context == event.context
    assert changed.traits.get("email") == event.traits.get("email")
    assert isinstance(changed.payload.get("event"), type(event.payload.get("event")))
    assert "source" not in event.properties


def test_events_are_renamed() -> None:
    changed = applied(rename=[("Completed Transaction", "Purchase"), ("x", "y")])
    assert (changed.name, changed.payload["event"]["name"]) == ("Purchase", "Purchase")


@pytest.mark.parametrize(
    ("target", "expression", "value"),
    [
        ("properties.value", "properties.transaction.total", 185),
        ("properties.ids", f"{ITEMS}[].product.id", ["p1", "p2"]),
        ("properties.big", f"{ITEMS}[?subtotal > `100`] | [0].product.id", "p1"),
        ("properties.cents", "`500`", 500),
        ("properties.a.b.c", "name", "Completed Transaction"),
        ("traits.name", "join(' ', [traits.firstName, traits.lastName])", "John Doe"),
        ("context.from", "ip", "203.0.113.7"),
    ],
)
def test_fields_are_set_by_jmespath(target: str, expression: str, value: Any) -> None:
    found: Any = document.read(applied(set=[(target, expression)]))
    for name in target.split("."):
        found = found[name]
    assert found == value


def test_what_is_not_there_sets_nothing() -> None:
    changed = applied(set=[("properties.value", "properties.nothing.here")])
    assert "value" not in changed.properties


def test_ids_are_set_in_the_event_and_its_payload() -> None:
    changed = applied(PAGE, set=[("userId", "context.page.path")])
    assert (changed.user_id, changed.payload["userId"]) == ("/boots", "/boots")
    changed = applied(SALE, set=[("userId", "'u9'")])
    assert (changed.user_id, changed.payload["event"]["user"]["userId"]) == ("u9", "u9")


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("field", ["userId", "anonymousId", "traits.email", "traits.lastName"])
def test_what_is_dropped_or_hashed_is_nowhere_any_more(event: Event, field: str) -> None:
    said: Any = document.read(event)
    for name in field.split("."):
        said = said.get(name, "")
    for how in ("drop", "hash"):
        changed = applied(event, **{how: [field]})
        if said:
            assert json.dumps(said) not in json.dumps(changed.payload)
            assert said not in (changed.user_id, changed.anonymous_id)
    if said:
        assert digest(said) in json.dumps(applied(event, hash=[field]).payload)


def test_the_address_is_dropped_wherever_it_stands() -> None:
    changed = applied(SALE, drop=["ip"])
    assert changed.ip is None
    assert "198.51.100.9" not in json.dumps(changed.payload)


def test_whole_objects_are_dropped() -> None:
    changed = applied(SALE, drop=["context", "traits"])
    assert changed.context == {}
    assert set(changed.traits) == {"userId", "anonymousId"}


@pytest.mark.parametrize(
    ("value", "clear"),
    [
        (" John.Doe@Example.com ", "john.doe@example.com"),
        (" Mixed Case ", "Mixed Case"),
        (17, "17"),
    ],
)
def test_a_hash_is_of_what_vendors_expect(value: Any, clear: str) -> None:
    hashed = hashlib.sha256(clear.encode()).hexdigest()
    assert digest(value) == digest(hashed) == hashed
    assert digest([value, None]) == [hashed, None]


@pytest.mark.parametrize(
    ("condition", "event", "reason"),
    [
        ('type == "track" && properties.transaction.total > 100', SALE, ""),
        ('type == "identify"', SALE, "The condition is not met."),
        ("has(properties.total) && properties.total > 1", SALE, "The condition is not met."),
        ("properties.total > 1", SALE, "'total'"),
        ('traits.plan in ["pro", "team"]', IDENTIFY, ""),
        ('context.page.path.startsWith("/boots")', PAGE, ""),
        ('userId == "" && anonymousId != ""', PAGE, ""),
    ],
)
def test_the_condition_decides(condition: str, event: Event, reason: str) -> None:
    if not reason:
        assert applied(event, condition=condition) is event
        return
    with pytest.raises(Skipped, match=reason):
        applied(event, condition=condition)


def test_a_sample_takes_all_events_of_a_user_or_none() -> None:
    taken = 0
    for number in range(2000):
        event = replace(SALE, anonymous_id=f"a{number}")
        outcomes = set()
        for each in (event, replace(event, name="Other", user_id="someone")):
            try:
                applied(each, percent=25)
                outcomes.add(True)
            except Skipped:
                outcomes.add(False)
        assert len(outcomes) == 1
        taken += outcomes.pop()
    assert 400 < taken < 600
    with pytest.raises(Skipped, match="not in the sample"):
        applied(percent=0)


def test_an_expression_that_fails_makes_a_dead_letter_with_the_reason() -> None:
    with pytest.raises(PermanentError, match="mapping of the integration failed"):
        applied(set=[("properties.x", "join(',', name)")])
    with pytest.raises(PermanentError, match="mapping of the integration failed"):
        applied(set=[("properties.x", "ceil(to_number('1e999'))")])
    with pytest.raises(PermanentError, match="neither true nor false"):
        applied(condition="name")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (expressions.Condition, "properties.a >"),
        (expressions.Condition, "[1, 2].all(x, x > 1)"),
        (expressions.Condition, "properties.items . exists (i, i.a)"),
        (expressions.Condition, "(" * 300 + "true" + ")" * 100),
        (expressions.Condition, "x" * 501),
        (expressions.Condition, " "),
        (expressions.Condition, "properties.a && nothing"),
        (expressions.Condition, "nothing(properties)"),
        (expressions.Condition, "name.matches(properties.pattern)"),
        (expressions.Condition, r"name.matches(r'\w{900}y')"),
        (expressions.Condition, r"name.matches(r'(?x)\w {300}y')"),
        (expressions.Condition, r"name.matches(r'a(?i-u:b)(?sx:\w {300}y)')"),
        (expressions.Condition, r"name.matches(r'[]\w]{300}')"),
        (expressions.Condition, r"name.matches(r'[^]\w]{300}')"),
        (expressions.Condition, r"name.matches('((a{50}){50}){50}')"),
        (expressions.Path, "properties.["),
        (expressions.Path, "a" * 501),
        (expressions.Path, "nothing(properties)"),
        (expressions.Path, "{a:@,b:@}|{a:@,b:@}"),
        (expressions.Path, "to_string(to_string(to_string(to_string(@))))"),
        (expressions.Path, "[" * 400),
        (expressions.Path, "join(join('x', properties.a), properties.a)"),
        (expressions.Path, "join(properties.a, properties.b)"),
        (expressions.Path, ".".join("a" * 100)),
    ],
)
def test_what_cannot_run_or_could_run_for_long_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(ExpressionError):
        kind(text).find(document.read(SALE)) if kind is expressions.Path else kind(text)


@pytest.mark.parametrize(
    "text",
    [
        "to_string(to_string(to_string(@)))",
        "[" + ",".join(["@"] * 25) + "]",
        "properties.long[*].long[*].long[*]",
        "properties.long[?contains(@.a || '', 'x')][] | sort_by(@, &a)",
        "reverse(sort(keys(merge(@, properties))))",
    ],
)
def test_what_is_allowed_makes_little_of_the_largest_hit(text: str) -> None:
    payload = {**SALE.payload, "event": {"name": "x", "long": [{"a": "y" * 50}] * 1000}}
    largest = document.read(replace(SALE, payload=payload))
    with suppress(ExpressionError):
        assert len(json.dumps(expressions.Path(text).find(largest))) < 30 * 65_536


def test_a_mapping_survives_storage() -> None:
    mapping = EventMapping(
        condition="true", percent=5, rename=(("a", "b"),), set=(("name", "'x'"),)
    )
    assert EventMapping.load(json.loads(json.dumps(mapping.dump()))) == mapping
    assert EventMapping().dump() == {}
    assert EventMapping.load({}) == EventMapping()
