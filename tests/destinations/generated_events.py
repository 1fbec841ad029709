"""Generated events: the catalogue's and Segment's names with their properties, and free events;
each with further properties of any name, depth and type."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.destinations.samples import AGENT, RECEIVED, SENT, sample
from tests.destinations.strict_hits import (
    CATALOGUE_PROPERTIES,
    SEGMENT_PROPERTIES,
    in_catalogue_words,
)
from tracking.destinations.spec.event_names import ALIASES, CATALOGUE
from tracking.events import Event

#: Values that a receiver reads as more than a text: they stay as they are.
KEPT = frozenset({"currency", "email", "phone", "country", "state", "url", "query"})

texts = st.text(max_size=40)
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["79.90", "x"])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
names = st.one_of(
    st.sampled_from(["цвет", "größe", "error", "time", "ip", "_x", "$set", "a b", "note", "값"]),
    st.text(min_size=1, max_size=20),
)
traits = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["a@b.example", " John@Example.com", "n/a", "bob@"]) | scalars,
        "phone": st.sampled_from(["+49 (0)170 1234567", "0170 1234567", "+1 650 555 0100 ext. 12"]),
        "firstName": st.sampled_from(["Jo", "Zoë", "李", ""]),
        "lastName": st.sampled_from(["Doe", "O'Neil"]),
        "address": st.sampled_from([{"country": "USA", "state": "California"}, {"city": "Köln"}]),
        "plan": values,
    },
)
ids = st.sampled_from(["u1", "undefined", "null", "anonymous", "0", "n/a", "u2", "kim"])
page = {"url": "https://shop.example/boots?x=1", "title": "Boots", "referrer": "https://g.example/"}
contexts = st.fixed_dictionaries(
    {"page": st.just(page), "userAgent": st.just(AGENT)},
    optional={
        "campaign": st.just({"source": "google", "name": "autumn"}),
        "consent": st.sampled_from([{"ad_user_data": "denied"}, {"ad_personalization": "granted"}]),
        "ip": st.sampled_from(["198.51.100.9", "2001:db8::1", "123.22.334.55"]),
    },
)
#: Seconds from the event to its sending; a negative number lies in the future.
ages = st.sampled_from([0, 60, 3_600, -172_800])


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(["catalogue", "catalogue", "segment", "segment", "free"]))
    type = "track"
    if kind == "catalogue":
        name = draw(st.sampled_from(CATALOGUE))
        told = in_catalogue_words(name)["event"]
        base = {key: told[key] for key in told if key in CATALOGUE_PROPERTIES}
    elif kind == "segment":
        name = draw(st.sampled_from(sorted(ALIASES)))
        base = dict(SEGMENT_PROPERTIES)
        type = draw(st.sampled_from(["track", "track", "track", "page", "identify"]))
    else:
        name, base = draw(st.text(min_size=1, max_size=30)), {}
    for key in draw(st.lists(st.sampled_from([*base, "odd"]), max_size=1)):
        base[key] = draw(scalars)
    further = draw(st.dictionaries(names, values, max_size=5))
    told = mark({**base, **further}, itertools.count(1_000))
    user, context = draw(traits), draw(contexts)
    known = {"userId": draw(ids), "anonymousId": draw(ids)}
    public = {"event": {**told, "name": name, "user": {**user, **known}}, "context": context}
    segment = {"event": name, "properties": told, "traits": user, "context": context, **known}
    payload = segment if kind == "segment" or draw(st.booleans()) else public
    occurred = SENT - timedelta(seconds=draw(ages))
    return replace(
        sample(0, {"type": type, **payload}, name=name),
        id=draw(st.uuids(version=4)),
        hit_id=str(draw(st.uuids(version=4))),
        type=type,
        user_id=known["userId"],
        anonymous_id=known["anonymousId"],
        ip="203.0.113.7",
        occurred_at=occurred,
        sent_at=max(occurred, SENT),
        received_at=RECEIVED,
    )


def mark(value: Any, numbers: Iterator[int], key: str = "") -> Any:
    """Return the value with texts and numbers that occur once, so that each can be found again."""
    if isinstance(value, dict):
        return {name: mark(each, numbers, name) for name, each in value.items()}
    if isinstance(value, list):
        return [mark(each, numbers, key) for each in value]
    if key in KEPT or value in (None, "", "79.90") or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return next(numbers)
    if isinstance(value, float):
        return next(numbers) + 0.25
    return f"{value}~{next(numbers)}"


def generated(count: int) -> list[Event]:
    """Return so many events, the same at each call."""
    found: list[Event] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(event=events())
    def collect(event: Event) -> None:
        # As it is read from the database.
        payload = json.loads(json.dumps(event.payload))
        found.append(replace(event, payload=payload))

    collect()
    return found
