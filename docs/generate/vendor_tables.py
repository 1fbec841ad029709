"""The page on what each vendor gets of each event of the catalogue, by asking the destinations."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import phonenumbers

from docs.generate import catalogue
from docs.generate.markdown import code, joined, table
from tracking.destinations.contract import registry
from tracking.destinations.contract.destination import Destination
from tracking.destinations.spec.omissions import NO_PAGE, NO_SENTENCE, Rule, is_below
from tracking.destinations.spec.origins import Path, sender_values
from tracking.events import Event

INTRODUCTION = """
What a vendor gets of each event of the catalogue, with every property that the catalogue names, and
which rule leaves the others out. The destinations themselves make this page, from a hit of
`POST /track` and with the defaults of their forms. Segment's names (`Order Completed`) give the
same. In `lineItems[].product.id`, `[]` stands for every element of the list. Behind an arrow stands
the vendor's field, which has the vendor's form: a number, a text, or a digest. *Calculated* is what
goes into a field that is calculated, such as the usual price into a discount.
"""
VENDORS = (
    *("google-analytics", "meta", "tiktok", "mixpanel", "amplitude", "posthog", "klaviyo"),
    "segment",
)
VALUES = {"receiver": "segment", "url": "https://receiver.example"}
#: The fields of a request that carry an event's own properties as they are, by vendor.
AS_SENT = re.compile(
    r"^(data\.attributes\.properties|batch\[\]\.properties|\[\]\.properties"
    r"|events\[\]\.(event|user)_properties|batch\[\]\.properties\.\$set"
    r"|data\.attributes\.profile\.data\.attributes\.properties|batch\[\]\.context\.traits)\."
)
#: Where a vendor's request has the event's name.
NAMES = frozenset(
    {
        *("events[].name", "events[].event_type", "data[].event_name", "data[].event"),
        *("[].event", "batch[].event", "data.attributes.metric.data.attributes.name"),
    }
)
#: The part of a request around an event.
ENVELOPE = re.compile(
    r"^(events\[\]\.params|data\[\]|batch\[\]|events\[\]|\[\]|data\.attributes)\."
)


def write() -> str:
    sections = (describe(make(slug)) for slug in VENDORS)
    return joined("# What vendors receive", INTRODUCTION, *sections)


def make(slug: str) -> Destination:
    """Return the destination with the defaults of its form."""
    kind = registry.get_destination(slug)
    initial = {name: field.initial or "" for name, field in kind.Config.base_fields.items()}
    return kind({name: VALUES.get(name, value) for name, value in initial.items()})


def describe(destination: Destination) -> str:
    rules = [(str(rule.reason), cited(rule), code(rule.code)) for rule in destination.rules]
    return joined(
        f"## {destination.label}",
        table(("event", "sent as", "properties sent", "left out"), rows(destination)),
        table(("a value is left out because", "the vendor's page and its words", "rule"), rules),
    )


def cited(rule: Rule) -> str:
    """Return the page of the vendor and its words, or why they are not quoted."""
    words = rule.quote if rule.quote in {NO_PAGE, NO_SENTENCE} else f"“{rule.quote}”"
    return f"[{rule.source}]({rule.url}): {words}"


def rows(destination: Destination) -> Iterator[tuple[str, str, str, str]]:
    for event in catalogue.events():
        if reason := destination.skip(event):
            yield event.name, "", f"Skipped: {reason}", ""
        else:
            yield row(destination, event)


def row(destination: Destination, event: Event) -> tuple[str, str, str, str]:
    body = json.loads(destination.request([event]).body)
    lost, found = destination.left_out(event), list(walk(body))
    places = dict(reversed(found))
    as_sent = {(AS_SENT.sub("", place), value) for value, place in found if AS_SENT.match(place)}
    sent: list[str] = []
    omitted: dict[str, list[str]] = {}
    for path, value in sender_values(event):
        if is_below(path, lost):
            rule = next(lost[path[:n]] for n in range(1, len(path) + 1) if path[:n] in lost)
            omitted.setdefault(code(rule.code), []).append(code(shown(path)))
        else:
            own = (shown(path).removeprefix("traits."), value)
            sent.append("" if own in as_sent else arrival(path, value, places))
    by_rule = [f"{rule}: {listed(paths)}" for rule, paths in omitted.items()]
    return event.name, code(name_of(found)), listed(sent), "; ".join(by_rule)


def arrival(path: Path, value: Any, places: dict[Any, str]) -> str:
    """Return the property and the vendor's field that carries it."""
    place = next((places[form] for form in forms(path, value) if form in places), "")
    return f"{code(shown(path))} → {code(ENVELOPE.sub('', place)) or '*calculated*'}"


def forms(path: Path, value: Any) -> Iterator[Any]:
    """Yield the value as a vendor may have it."""
    yield (path[-1], value)
    yield value
    if isinstance(value, bool):
        yield str(value).lower()
    if not isinstance(value, str):
        return
    plain = [value.lower(), re.sub(r"\W", "", value.lower()), value.replace(" ", "")]
    plain += ["se"] if path[-1] == "country" else []
    if path[-1] == "phone":
        number = phonenumbers.parse(value)
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        plain += [written, written[1:]]
    yield from plain
    yield from (hashlib.sha256(each.encode()).hexdigest() for each in plain)


def walk(value: Any, path: str = "") -> Iterator[tuple[Any, str]]:
    """Yield the values of the body with their places, and with their own names, too."""
    if isinstance(value, dict):
        for name, each in value.items():
            place = f"{path}.{name}".strip(".")
            yield from walk(each, place)
            if not isinstance(each, (dict, list)):
                yield (name, each), place
    elif isinstance(value, list):
        for each in value:
            yield from walk(each, f"{path}[]")
    else:
        yield value, path
        for part in re.split("[/,]", value) if isinstance(value, str) else ():
            yield part, path


def name_of(found: list[tuple[Any, str]]) -> str:
    """Return the event's name in the vendor's request."""
    return next((str(value) for value, place in found if place in NAMES), "")


def shown(path: Path) -> str:
    """Return the path as the page shows it: without `properties`, lists as `[]`."""
    parts = path[1:] if path[0] == "properties" else path
    return re.sub(r"\.\d+(?=\.|$)", "[]", ".".join(parts))


def listed(texts: list[str]) -> str:
    """Return the texts once each; those that are empty stand for properties that are as sent."""
    rest = list(dict.fromkeys(text for text in texts if text))
    if not texts:
        return ""
    if "" in texts:
        return ", ".join(["all others as they are", *rest] if rest else ["all as they are"])
    return ", ".join(rest)
