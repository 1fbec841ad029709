"""What of an event stands in more places than one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.destinations.samples import SAMPLES
from tracking.destinations.mapping import document
from tracking.destinations.mapping.event_mapping import EventMapping
from tracking.events import Event

PAGE = SAMPLES["page"]


def applied(event: Event = PAGE, **mapping: Any) -> Event:
    return EventMapping.load(json.loads(json.dumps(mapping))).apply(event)


@pytest.mark.parametrize("kind", ["hash", "drop"])
@pytest.mark.parametrize(
    ("field", "payload"),
    [
        ("traits.email", {"context": {"traits": {"email": "VALUE"}}}),
        ("traits.email", {"traits": {"email": "VALUE"}, "context": {"traits": {"email": "VALUE"}}}),
        ("context.traits.email", {"context": {"traits": {"email": "VALUE"}}}),
        ("traits.a.b", {"context": {"traits": {"a": {"b": "VALUE"}}}}),
        ("emailHash", {"context": {"traits": {"emailHash": "VALUE"}}}),
        ("userId", {"userId": "VALUE", "context": {"traits": {"userId": "VALUE"}}}),
        ("userAgent", {"context": {"userAgent": "VALUE"}}),
        ("groupId", {"context": {"groupId": "VALUE"}}),
        ("ip", {"context": {"ip": "VALUE"}}),
        ("name", {"name": "VALUE", "properties": {"name": "VALUE"}}),
    ],
)
def test_what_stands_in_two_places_is_dropped_or_hashed_in_both(
    kind: str, field: str, payload: dict[str, Any]
) -> None:
    name = "VALUE" if field == "name" else "Home"
    changed = applied(replace(PAGE, name=name, payload=payload), **{kind: [field]})
    assert "VALUE" not in json.dumps(changed.payload)
    assert "VALUE" not in json.dumps(document.read(changed))


@pytest.mark.parametrize("field", ["ip", "userAgent", "groupId"])
def test_what_is_set_is_what_destinations_see(field: str) -> None:
    page = replace(PAGE, payload={"context": {field: "before", "locale": "en"}})
    changed = applied(page, set=[(field, "'after'")])
    assert changed.context == {field: "after", "locale": "en"}
    unsaid = replace(PAGE, payload={"context": {"locale": "en"}})
    assert applied(unsaid, set=[(field, "'after'")]).context == {"locale": "en"}


def test_a_renamed_page_has_its_new_name_in_the_payload_too() -> None:
    page = replace(PAGE, name="Home", payload={"type": "page", "name": "Home"})
    assert applied(page, rename=[("Home", "Start")]).payload["name"] == "Start"
