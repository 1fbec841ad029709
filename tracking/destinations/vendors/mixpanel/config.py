"""The configuration form of Mixpanel."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField


class MixpanelConfig(ConfigForm):
    project_token = SecretField(
        help_text="Settings → Project settings → Overview → Access keys → Project token."
    )
    region = forms.ChoiceField(
        choices=[("us", "United States"), ("eu", "European Union"), ("in", "India")],
        required=False,
        initial="us",
        help_text="Settings → Project settings → Overview → Data residency.",
    )
