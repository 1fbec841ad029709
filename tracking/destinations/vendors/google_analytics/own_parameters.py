"""The sender's own properties as parameters: what Google's own parameters have no place for.

Google takes plain values. Of objects the first level is sent, under both names joined by an
underscore; further properties of an item become parameters of the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from tracking.destinations.spec.coerce import as_object, plain, read_currency, to_number
from tracking.destinations.spec.omissions import JSON_NAMES, NO_PAGE, LeftOut, Rule, is_below
from tracking.destinations.spec.origins import Path, leaves, sender_values
from tracking.destinations.vendors.google_analytics.limits import (
    MAX_ITEM_PARAMS,
    MAX_PARAMS,
    MAX_VALUE,
    param_name,
)
from tracking.events import Event

GA4 = "https://developers.google.com/analytics/devguides/collection/protocol/ga4"
REFERENCE, REFERENCE_URL = "Measurement Protocol reference", f"{GA4}/reference"
LIMITS = "Send Measurement Protocol events, section Limitations"
LIMITS_URL = f"{GA4}/sending-events#limitations"
EMPTY = Rule(
    "google_empty",
    _("The value is empty, and a parameter of Google has a value."),
    f"{REFERENCE}: a parameter is a name and a value",
    REFERENCE_URL,
    NO_PAGE,
)
NOT_PLAIN = Rule(
    "google_not_plain",
    _(
        "Google takes texts and numbers: of an object only its first level is sent, of a list"
        " nothing."
    ),
    f"{REFERENCE}: a parameter's value is a text or a number; only items is a list",
    REFERENCE_URL,
    NO_PAGE,
)
NAME = Rule(
    "google_name",
    _("The name of a parameter must begin with a letter and must not be reserved."),
    f"{LIMITS}; {REFERENCE}, section Reserved names; Event naming rules: letters of any language",
    LIMITS_URL,
    "Parameter names including item parameters must be 40 characters or fewer, can only contain"
    " alphanumeric characters and underscores, and must start with an alphabetic character.",
)
TAKEN = Rule(
    "google_taken",
    _("Google's own parameter, or an earlier property, has the same name."),
    *JSON_NAMES,
)
MONEY = Rule(
    "google_money",
    _(
        "In its own events Google takes value, tax and shipping as numbers, a value with a"
        " currency."
    ),
    "Recommended events, currency; value, tax and shipping are numbers",
    f"{GA4}/reference/events",
    "If you set value then currency is required for revenue metrics to be computed accurately.",
)
TOO_MANY = Rule(
    "google_too_many",
    _("Google takes 25 parameters per event."),
    LIMITS,
    LIMITS_URL,
    "Events can have a maximum of 25 parameters.",
)
ITEM_TOO_MANY = Rule(
    "google_item",
    _("Google takes 10 own parameters per item, and five levels of its category."),
    f"{LIMITS}; Recommended events: item_category to item_category5",
    LIMITS_URL,
    "Item parameters can have a maximum of 10 custom parameters.",
)
CUT = Rule(
    "google_cut",
    _("Google takes 100 characters per value; the end of the text is cut off."),
    LIMITS,
    LIMITS_URL,
    "Parameter values including item parameter values must be 100 characters or fewer for a"
    " standard Google Analytics property, and 500 characters or fewer for a Google Analytics 360"
    " property.",
)
ENGAGEMENT = Rule(
    "google_engagement",
    _("It decides whether the event counts as engagement and has no parameter of its own."),
    f"{REFERENCE}, section Common event parameters: engagement_time_msec",
    REFERENCE_URL,
    NO_PAGE,
)
TRAITS = Rule(
    "google_traits",
    _("Google forbids data that identify a person, as traits do."),
    "Best practices to avoid sending Personally Identifiable Information (PII)",
    "https://support.google.com/analytics/answer/6366371",
    "To protect user privacy, Google policies mandate that no data be passed to Google that Google"
    " could use or recognize as personally identifiable information (PII).",
)
RULES = (EMPTY, NOT_PLAIN, NAME, TAKEN, MONEY, TOO_MANY, ITEM_TOO_MANY, CUT, ENGAGEMENT, TRAITS)

#: The number of parameters that an event or an item may have, and the rule for those beyond it.
Bound = tuple[int, Rule]
EVENT: Bound = (MAX_PARAMS, TOO_MANY)

#: Parameters that every event may have and that only this module's callers set.
GOOGLES = frozenset({"items", "timestamp_micros", "session_id", "engagement_time_msec"})
#: Parameters that Google reads as numbers.
NUMBERS = frozenset({"value", "tax", "shipping"})
#: Google has item_category and item_category2 to item_category5.
CATEGORY_LEVELS = 5
#: Lists of {name, value}: the custom dimensions and metrics of the public HTTP API.
NAMED_LISTS = ("customDimensions", "customMetrics")


class OwnParameters:
    """Adds the sender's properties to the parameters of an event.

    `sent` are the paths of the values that Google's own parameters carry, with the length to which
    Google takes them; `items` are Google's items by their paths; `is_googles` says whether the
    event is one of Google's. What is left out is added to `lost`.
    """

    def __init__(
        self,
        sent: Mapping[Path, int],
        items: Mapping[Path, dict[str, Any]],
        lost: LeftOut | None,
        *,
        is_googles: bool,
    ) -> None:
        self.sent = sent
        self.items = {path: item for path, item in items.items() if len(path) > 1}
        self.lost = lost
        self.is_googles = is_googles

    def add_to(self, event: Event, params: dict[str, Any]) -> None:
        for path, item in self.items.items():
            self._add_item(event, path, item)
        for name, value in self._in_order(event.properties):
            path = ("properties", name)
            if name == "nonInteraction":
                self._omit(path, ENGAGEMENT)
            elif name in NAMED_LISTS and isinstance(value, list):
                self._add_named(path, value, params)
            elif isinstance(value, Mapping) and value and path not in self.items:
                for inner, each in value.items():
                    self._add((*path, inner), f"{name}_{inner}", each, params, EVENT)
            else:
                self._add(path, name, value, params, EVENT)
        if self.lost is not None:
            traits = (path for path, _ in sender_values(event) if path[0] == "traits")
            self.lost.update(dict.fromkeys(traits, TRAITS))

    def _in_order(self, properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return the properties in the sender's order. In an event of Google's a value comes last:
        it needs its currency."""
        return sorted(properties.items(), key=lambda own: self.is_googles and own[0] == "value")

    def _add_named(self, path: Path, listed: list[Any], params: dict[str, Any]) -> None:
        """Add the custom dimensions or metrics of the public HTTP API under their names."""
        for index, each in enumerate(listed):
            at = (*path, str(index))
            name = plain(each.get("name")) if isinstance(each, Mapping) else ""
            if not name:
                self._omit_all(each, at)
                continue
            self._add((*at, "value"), name, each.get("value"), params, EVENT)
            rule = (self.lost or {}).get((*at, "value"), CUT)
            if rule != CUT:
                self._omit((*at, "name"), rule)
            for key in each.keys() - {"name", "value"}:
                self._omit_all(each[key], (*at, key))

    def _add_item(self, event: Event, path: Path, item: dict[str, Any]) -> None:
        """Add the further properties of a line and of its product to Google's item."""
        line = _at(event, path)
        bound = (len(item) + MAX_ITEM_PARAMS, ITEM_TOO_MANY)
        product = line.get("product")
        if isinstance(product, Mapping):
            for name, value in product.items():
                self._add((*path, "product", name), name, value, item, bound)
        for name, value in line.items():
            if not (name == "product" and isinstance(product, Mapping)):
                self._add((*path, name), name, value, item, bound)

    def _add(self, path: Path, name: str, value: Any, params: dict[str, Any], bound: Bound) -> None:
        if is_below(path, self.sent):
            self._note_cut(path, value, self.sent.get(path, MAX_VALUE))
            return
        if isinstance(value, (dict, list)) and value:
            self._omit_all(value, path)
            return
        spelled = param_name(name)
        if rule := _refusal(spelled, value, params, bound):
            self._omit(path, rule)
        elif self.is_googles and not _is_money(spelled, value, params):
            self._omit(path, MONEY)
        else:
            written = str(value).lower() if isinstance(value, bool) else value
            params[spelled] = written[:MAX_VALUE] if isinstance(value, str) else written
            self._note_cut(path, value, MAX_VALUE)

    def _omit_all(self, value: Any, path: Path) -> None:
        """Note the values inside; those that Google's parameters and items carry apart."""
        if self.lost is None:
            return
        for leaf, _value in leaves(value, path):
            item = next((leaf[:n] for n in range(2, len(leaf)) if leaf[:n] in self.items), None)
            is_elsewhere = item is not None and len(path) <= len(item)
            if not is_elsewhere and not is_below(leaf, self.sent):
                self._omit(leaf, NOT_PLAIN)

    def _omit(self, path: Path, rule: Rule) -> None:
        if self.lost is not None:
            self.lost[path] = rule

    def _note_cut(self, path: Path, value: Any, most: int) -> None:
        if isinstance(value, str) and len(value) > most:
            self._omit(path, CUT)
        elif isinstance(value, list) and path[-1] == "category":
            for index in range(CATEGORY_LEVELS, len(value)):
                self._omit((*path, str(index)), ITEM_TOO_MANY)


def _refusal(name: str, value: Any, params: Mapping[str, Any], bound: Bound) -> Rule | None:
    """Return why the value cannot be a further parameter of this name; None if it can."""
    if value in (None, "", [], {}):
        return EMPTY
    if not isinstance(value, (str, bool)) and to_number(value) is None:
        return NOT_PLAIN
    if not name:
        return NAME
    if name in params or name in GOOGLES:
        return TAKEN
    most, rule = bound
    return rule if len(params) >= most else None


def _is_money(name: str, value: Any, params: Mapping[str, Any]) -> bool:
    """Return whether Google can read the value as its own parameter of this name."""
    if name == "currency":
        return bool(read_currency(value))
    if name in NUMBERS and (isinstance(value, str) or to_number(value) is None):
        return False
    return name != "value" or "currency" in params


def _at(event: Event, path: Path) -> Mapping[str, Any]:
    """Return the object at the path, which a LineItem was read from."""
    value: Any = event.properties
    for part in path[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return as_object(value)
