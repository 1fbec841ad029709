"""The form in which an operator writes a mapping, line by line, and the EventMapping that it
makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.destinations.mapping.document import CHANGEABLE, OBJECTS
from tracking.destinations.mapping.evaluator import evaluator
from tracking.destinations.mapping.event_mapping import MAX_LINES, EventMapping
from tracking.destinations.mapping.protocol import MAX_LENGTH
from tracking.exceptions import RetryableError
from tracking.presentation.form_fields import LinesField


def check_field(field: str) -> None:
    """Raise ValidationError unless the dotted field can be changed."""
    first, *rest = field.split(".")
    if first not in CHANGEABLE or (rest and first not in OBJECTS) or "" in rest:
        raise ValidationError(
            _(
                "%(field)r cannot be changed. Use %(names)s, or a field in one of these objects, "
                "such as properties.price."
            )
            % {"field": field, "names": ", ".join(sorted(CHANGEABLE))},
            code="field",
        )


def check_condition(text: str) -> None:
    check_expression(text, is_condition=True)


def check_expression(text: str, *, is_condition: bool, prefix: str = "") -> None:
    """Raise ValidationError unless the expression can be used."""
    try:
        reason = evaluator.check(text, is_condition=is_condition)
    except RetryableError as error:
        reason = str(_(str(error)))
    if reason:
        raise ValidationError(f"{prefix}{reason}", code="expression")


def check_target(target: str, text: str) -> None:
    check_field(target)
    if target in OBJECTS:
        raise ValidationError(
            _("Name a field in %(target)s, such as %(target)s.value.") % {"target": target},
            code="field",
        )
    check_expression(text, is_condition=False, prefix=f"{target}: ")


def check_names(old: str, new: str) -> None:
    if len(new) > 255:
        raise ValidationError(_("A name has at most 255 characters."), code="name")


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
            raise ValidationError(
                _("%(line)r does not have the form: left = right.") % {"line": line}, code="pair"
            )
        self._check_pair(left, right)
        return left, right


class MappingForm(forms.Form):
    """A form with the fields of an EventMapping."""

    condition = forms.CharField(
        label=_("Only if"),
        required=False,
        max_length=MAX_LENGTH,
        validators=(check_condition,),
        widget=LinesField.area(rows=2, complete="paths", syntax="cel"),
        help_text=_(
            'A CEL expression: type == "track" && has(properties.total) && '
            "properties.total > 10. Other events are skipped, with the reason."
        ),
    )
    percent = forms.FloatField(
        label=_("Percent of users"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Sampled per user. Empty: 100."),
    )
    rename = PairsField(
        most=MAX_LINES["rename"],
        label=_("Rename events"),
        widget=LinesField.area(complete="events", pairs="left"),
        required=False,
        check=check_names,
        help_text=_("One per line: Completed Transaction = Purchase."),
    )
    set = PairsField(
        most=MAX_LINES["set"],
        label=_("Set fields"),
        widget=LinesField.area(complete="paths", syntax="field", pairs="both"),
        required=False,
        check=check_target,
        help_text=_(
            "One per line, the value as JMESPath: properties.value = properties.total, or "
            "properties.source = 'shop', or traits.name = join(' ', [traits.first, traits.last])."
        ),
    )
    hash = LinesField(
        most=MAX_LINES["hash"],
        label=_("Hash fields"),
        widget=LinesField.area(complete="paths", syntax="field"),
        required=False,
        check=check_field,
        help_text=_("One per line: traits.email. SHA-256, of e-mail addresses in lower case."),
    )
    drop = LinesField(
        most=MAX_LINES["drop"],
        label=_("Drop fields"),
        widget=LinesField.area(complete="paths", syntax="field"),
        required=False,
        check=check_field,
        help_text=_("One per line: ip, context.locale, properties.card."),
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
