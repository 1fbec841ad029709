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
        help_text="Only for a self-hosted PostHog: its URL, such as https://posthog.example.com. It"
        " replaces the region.",
    )
    group_type = forms.CharField(
        required=False,
        initial="company",
        max_length=400,
        help_text="Type of the groups: Settings → Project → Product analytics → Group analytics.",
    )
