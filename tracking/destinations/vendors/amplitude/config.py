"""The configuration form of Amplitude."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class AmplitudeConfig(ConfigForm):
    api_key = SecretField(
        label=_("API key"),
        help_text=_("Settings → Organization settings → Projects → your project → API key."),
    )
    region = forms.ChoiceField(
        label=_("Region"),
        choices=[("us", _("United States")), ("eu", _("European Union"))],
        required=False,
        initial="us",
        help_text=_("European Union: the project is at analytics.eu.amplitude.com."),
    )
