"""The forms of the action pages: filters that the preview applies, and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tracking.models.deliveries.conditions import CODE
from tracking.models.deliveries.dead_letter import CODES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Moment(forms.DateTimeField):
    """A time, to the second, in the browser's own widget."""

    def __init__(self, label: StrOrPromise) -> None:
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        )
        super().__init__(label=label, required=False, widget=widget)


class EventField(forms.CharField):
    """The name of an event, with suggestions."""

    widget = forms.TextInput(attrs={"data-complete": "events"})

    def __init__(self) -> None:
        super().__init__(label=_("Event name"), required=False, max_length=255)


class TypedNameField(forms.CharField):
    """Takes the name of the object, and nothing else."""

    def __init__(self, name: str) -> None:
        label = _("Type the name to confirm")
        # Django shortens a value by its spaces, and a name has none at its ends.
        super().__init__(label=label, help_text=name, max_length=300)
        self._name = name.strip()
        self.widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: str) -> str:
        typed: str = super().clean(value)
        if typed != self._name:
            raise ValidationError(_("That is not the name: %(name)s.") % {"name": self._name})
        return typed


class PauseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("Shown wherever the integration is paused.")
    )


class ResumeForm(forms.Form):
    rate_limit = forms.IntegerField(
        label=_("Rate limit (requests/s)"),
        required=False,
        min_value=1,
        help_text=_("From now on. Empty: as configured."),
    )


class RateForm(forms.Form):
    rate = forms.IntegerField(
        label=_("Rate (hits/s)"),
        required=False,
        min_value=1,
        help_text=_("Empty: as fast as the database allows."),
    )


class MatchFilters(forms.Form):
    """Filters of the delivery log, for the operations on all that match."""

    event = EventField()
    received_since = Moment(_("Received from"))
    received_until = Moment(_("Received before"))
    user = forms.CharField(label=_("User"), required=False, max_length=320)
    status = forms.RegexField(
        CODE,
        label=_("HTTP code"),
        required=False,
        max_length=4,
        help_text=_("A code like 503, a class like 5xx, or none, of any attempt."),
    )
    answer = forms.CharField(label=_("Text in the response"), required=False, max_length=255)
    attempts = forms.IntegerField(
        label=_("Attempts, at least"), required=False, min_value=1, max_value=32_767
    )


class ReplayFilters(MatchFilters):
    since = Moment(_("Failed after"))
    until = Moment(_("Failed before"))
    code = forms.ChoiceField(
        label=_("Code"),
        required=False,
        choices=[("", _("any")), *((code, code.replace("_", " ")) for code in CODES)],
    )
    message = forms.CharField(label=_("Message contains"), required=False, max_length=500)
    field_order = ("since", "until", "code", "message", "event")


class BackfillFilters(forms.Form):
    since = Moment(_("Arrived after"))
    until = Moment(_("Arrived before"))
    event = EventField()
