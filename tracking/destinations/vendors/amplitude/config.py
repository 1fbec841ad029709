"""The configuration form of Amplitude."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class AmplitudeConfig(ConfigForm):
    api_key = SecretField(
        label="API key",
        help_text="Settings → Organization settings → Projects → your project → API key.",
    )
    region = forms.ChoiceField(
        choices=[("us", "United States"), ("eu", "European Union")],
        required=False,
        initial="us",
        help_text="European Union: the project is at analytics.eu.amplitude.com.",
    )
