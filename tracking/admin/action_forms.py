"""The forms of the action pages: filters that the preview applies, and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

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


class ReplayFilters(forms.Form):
    since = Moment(_("Failed after"))
    until = Moment(_("Failed before"))
    code = forms.ChoiceField(
        label=_("Code"),
        required=False,
        choices=[("", _("any")), *((code, code.replace("_", " ")) for code in CODES)],
    )
    message = forms.CharField(label=_("Message contains"), required=False, max_length=500)
    event = forms.CharField(label=_("Event name"), required=False, max_length=255)


class BackfillFilters(forms.Form):
    since = Moment(_("Arrived after"))
    until = Moment(_("Arrived before"))
    event = forms.CharField(label=_("Event name"), required=False, max_length=255)
