"""Whether a value of the sender is in a request: a second opinion beside a destination's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pycountry


class Haystack:
    """Every text, number, name and digest in the body of a request."""

    def __init__(self, body: bytes) -> None:
        document = json.loads(body)
        self.found: list[Any] = list(walk(document))
        self.objects: list[dict[str, Any]] = list(objects(document))
        self.texts = {each for each in self.found if isinstance(each, str)}
        self.numbers = {
            each for each in self.found if isinstance(each, (int, float)) and each is not True
        }
        self.all = "\n".join(self.texts)

    def has(self, path: tuple[str, ...], value: Any) -> bool:
        """Return whether the value is there: as it is, as a text, shortened by nothing but
        whitespace, in parts, or hashed."""
        if isinstance(value, bool):
            return any(each is value for each in self.found) or str(value).lower() in self.texts
        if isinstance(value, (int, float)):
            return self.has_number(value) or (path[-1] == "unitPrice" and self.is_discount(value))
        if isinstance(value, str):
            return self.has_text(path, value)
        # An object may be merged into another of its name.
        is_there = any(each == value and type(each) is type(value) for each in self.found)
        return is_there or (value is not None and path[-1] in self.texts)

    def has_number(self, value: float) -> bool:
        return value in self.numbers or -value in self.numbers or json.dumps(value) in self.texts

    def is_discount(self, value: float) -> bool:
        """Return whether it is the usual price of an item: the price and its reduction."""
        return any(round(value - each, 6) in self.numbers for each in self.numbers)

    def has_text(self, path: tuple[str, ...], value: str) -> bool:
        text = value.strip()
        if text in self.texts or value in self.texts or (len(text) > 2 and text in self.all):
            return True
        with contextlib.suppress(ValueError):
            if self.has_number(float(text)):
                return True
        parts = [part.strip() for part in re.split("[>/]", text) if part.strip()]
        if path[-1] == "category" and parts and all(part in self.all for part in parts):
            return True
        spelled = re.sub(r"\W+", "_", text)
        return spelled in self.texts or bool(self.texts & set(hashes(text)))


def hashes(text: str) -> Iterator[str]:
    """Yield what an advertiser may get of a personal value: normalised, and hashed."""
    lower = text.lower()
    forms = {lower, re.sub(r"[^\w]", "", lower), re.sub(r"[^\w ]", "", lower).strip()}
    for region in (None, "DE"):
        with contextlib.suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(text, region)
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            forms |= {written, written[1:]}
    with contextlib.suppress(LookupError):
        forms.add(pycountry.countries.lookup(text).alpha_2.lower())
    with contextlib.suppress(LookupError):
        state = pycountry.subdivisions.lookup(text)
        forms.add(getattr(state, "code", "").partition("-")[2].lower())
    for form in forms:
        yield form
        yield hashlib.sha256(form.encode()).hexdigest()


def walk(value: Any) -> Iterator[Any]:
    """Yield every name and value inside; those of JSON that stands in a text, too."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from walk(each)
    if isinstance(value, list):
        for each in value:
            yield from walk(each)
    if isinstance(value, str) and value[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            yield from walk(json.loads(value))
    if not isinstance(value, (dict, list)) or not value:
        yield value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object, the outermost first."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, (dict, list)):
            yield from objects(each)
