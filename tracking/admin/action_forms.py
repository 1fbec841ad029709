"""The forms of the action pages: filters that the preview applies, and options."""

from __future__ import annotations

from django import forms

from tracking.models.deliveries.dead_letter import CODES


class Moment(forms.DateTimeField):
    """A time, to the second, in the browser's own widget."""

    def __init__(self, label: str) -> None:
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        )
        super().__init__(label=label, required=False, widget=widget)


class PauseForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Shown wherever the integration is paused.")


class ResumeForm(forms.Form):
    rate_limit = forms.IntegerField(
        label="Rate limit (requests/s)",
        required=False,
        min_value=1,
        help_text="From now on. Empty: as configured.",
    )


class RateForm(forms.Form):
    rate = forms.IntegerField(
        label="Rate (hits/s)",
        required=False,
        min_value=1,
        help_text="Empty: as fast as the database allows.",
    )


class ReplayFilters(forms.Form):
    since = Moment("Failed after")
    until = Moment("Failed before")
    code = forms.ChoiceField(
        required=False,
        choices=[("", "any"), *((code, code.replace("_", " ")) for code in CODES)],
    )
    message = forms.CharField(label="Message contains", required=False, max_length=500)
    event = forms.CharField(label="Event name", required=False, max_length=255)


class BackfillFilters(forms.Form):
    since = Moment("Arrived after")
    until = Moment("Arrived before")
    event = forms.CharField(label="Event name", required=False, max_length=255)
