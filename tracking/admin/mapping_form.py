"""The form in which an operator writes a mapping, line by line, and the EventMapping that it
makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from tracking.destinations.mapping import expressions
from tracking.destinations.mapping.document import CHANGEABLE, OBJECTS
from tracking.destinations.mapping.event_mapping import EventMapping
from tracking.presentation.form_fields import LinesField

UNDEFINED = "Undefined variable or function"
#: The keys that every document has.
EMPTY: dict[str, Any] = {
    **dict.fromkeys(("id", "hitId", "type", "sentAt", "receivedAt", "occurredAt"), ""),
    **dict.fromkeys(CHANGEABLE, ""),
    **{name: {} for name in OBJECTS},
}


def check_field(field: str) -> None:
    """Raise ValidationError unless the dotted field can be changed."""
    first, *rest = field.split(".")
    if first not in CHANGEABLE or (rest and first not in OBJECTS) or "" in rest:
        raise ValidationError(
            f"{field!r} cannot be changed. Use {', '.join(sorted(CHANGEABLE))}, or a field in one "
            "of these objects, such as properties.price.",
            code="field",
        )


def check_condition(text: str) -> None:
    try:
        expressions.condition(text).holds(EMPTY)
    except LookupError:
        return
    except expressions.ExpressionError as error:
        # On an empty event only an unknown variable or function is certainly an error; syntax
        # errors are raised earlier.
        if UNDEFINED in str(error) or not compiles(text):
            raise ValidationError(str(error), code="expression") from None


def compiles(text: str) -> bool:
    try:
        expressions.condition(text)
    except expressions.ExpressionError:
        return False
    return True


def check_target(target: str, text: str) -> None:
    check_field(target)
    if target in OBJECTS:
        raise ValidationError(f"Name a field in {target}, such as {target}.value.", code="field")
    try:
        expressions.path(text)
    except expressions.ExpressionError as error:
        raise ValidationError(f"{target}: {error}", code="expression") from None


def check_names(old: str, new: str) -> None:
    if len(new) > 255:
        raise ValidationError("A name has at most 255 characters.", code="name")


class PairsField(LinesField):
    """`left = right`, one per line; `check` raises ValidationError for a bad pair."""

    def __init__(self, *, check: Callable[[str, str], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check_pair = check

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return "\n".join(" = ".join(pair) for pair in value)
        return value

    def clean(self, value: Any) -> Any:
        return [self._split(line) for line in super().clean(value)]

    def _split(self, line: str) -> tuple[str, str]:
        left, equals, right = (part.strip() for part in line.partition("="))
        if not (left and equals and right):
            raise ValidationError(f"{line!r} does not have the form: left = right.", code="pair")
        self._check_pair(left, right)
        return left, right


class MappingForm(forms.Form):
    """A form with the fields of an EventMapping."""

    condition = forms.CharField(
        label="Only if",
        required=False,
        max_length=expressions.MAX_LENGTH,
        validators=(check_condition,),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text='A CEL expression: type == "track" && has(properties.total) && '
        "properties.total > 10. Other events are skipped, with the reason.",
    )
    percent = forms.FloatField(
        label="Percent of users",
        required=False,
        min_value=0,
        max_value=100,
        help_text="Sampled per user. Empty: 100.",
    )
    rename = PairsField(
        label="Rename events",
        required=False,
        check=check_names,
        help_text="One per line: Completed Transaction = Purchase.",
    )
    set = PairsField(
        label="Set fields",
        required=False,
        check=check_target,
        help_text="One per line, the value as JMESPath: properties.value = properties.total, or "
        "properties.source = 'shop', or traits.name = join(' ', [traits.first, traits.last]).",
    )
    hash = LinesField(
        label="Hash fields",
        required=False,
        check=check_field,
        help_text="One per line: traits.email. SHA-256, of e-mail addresses in lower case.",
    )
    drop = LinesField(
        label="Drop fields",
        required=False,
        check=check_field,
        help_text="One per line: ip, context.locale, properties.card.",
    )

    def mapping(self) -> EventMapping:
        """Return the mapping of the valid form."""
        cleaned = self.cleaned_data
        percent = 100.0 if cleaned["percent"] is None else cleaned["percent"]
        return EventMapping(
            condition=cleaned["condition"].strip(),
            percent=percent,
            rename=tuple(cleaned["rename"]),
            set=tuple(cleaned["set"]),
            hash=tuple(cleaned["hash"]),
            drop=tuple(cleaned["drop"]),
        )
