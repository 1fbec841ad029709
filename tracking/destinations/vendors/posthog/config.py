"""The configuration form of PostHog."""

from __future__ import annotations

from django import forms

from tracking.destinations.contract.config_form import ConfigForm, SecretField
from tracking.destinations.contract.form_fields import HttpUrlField


class PostHogConfig(ConfigForm):
    api_key = SecretField(
        label="Project API key", help_text="phc_…: Settings → Project → General → Project API key."
    )
    region = forms.ChoiceField(
        choices=[("us", "US Cloud"), ("eu", "EU Cloud")],
        required=False,
        initial="us",
        help_text="Settings → Project → General → Region.",
    )
    url = HttpUrlField(
        label="Own host",
        required=False,
        help_text="Only where you host PostHog yourself: its address, such as"
        " https://posthog.example.com. It is called instead of the region's.",
    )
    group_type = forms.CharField(
        required=False,
        initial="company",
        max_length=400,
        help_text="What a group is: Settings → Project → Product analytics → Group analytics.",
    )
